/**
 * The benches by name, and how one of them is run: on a stage of its own, bounded in time, one after the other.
 */
import { benchApply } from "./apply.ts";
import { benchGet } from "./get.ts";
import { benchLatency } from "./latency.ts";
import { benchMemory } from "./memory.ts";
import { benchMetricsOfApply, benchMetricsOfPut } from "./metrics-cost.ts";
import { benchPut } from "./put.ts";
import type { Row } from "./row.ts";
import { Stage } from "./stage.ts";
import { benchStart } from "./start.ts";
import { benchTracing } from "./tracing.ts";

export type Bench = (stage: Stage) => Promise<Row[]>;

/** In the order of the design's table of numbers to reach. */
export const benches: ReadonlyMap<string, Bench> = new Map([
  ["put", benchPut],
  ["tracing", benchTracing],
  ["apply", benchApply],
  ["get", benchGet],
  ["latency", benchLatency],
  ["memory", benchMemory],
  ["start", benchStart],
  ["metrics", benchMetricsOfPut],
  ["metrics-apply", benchMetricsOfApply],
]);

/** Some twice what the longest bench takes. */
const BENCH_WITHIN_MS = 1_200_000;

/** Runs one bench and stops all it has started. @throws what the bench throws, or when it takes too long or is aborted. */
export async function runBench(bench: Bench, signal: AbortSignal): Promise<Row[]> {
  const stage = new Stage();
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(BENCH_WITHIN_MS)]);
  try {
    return await Promise.race([bench(stage), rejectWhen(bounded)]);
  } finally {
    await stage.stop();
  }
}

function rejectWhen(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(new Error("the bench was stopped before its end", { cause: signal.reason }));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
