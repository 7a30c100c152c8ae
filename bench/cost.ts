/**
 * What something costs: accepted PUT/s of two api processes on the same Redis, which differ in it alone, in turn, several
 * times with new processes; and the processor time that each has taken for a PUT, which says the same where other work goes on
 * beside. No consumer runs.
 */

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { partitionOf } from "../core/partition.ts";
import { systemPartition } from "../core/system-keys.ts";
import type { Child } from "../infra/local/child.ts";
import { waitUntilReady } from "../infra/local/service-process.ts";
import { request } from "./http-request.ts";
import { interleave } from "./interleave.ts";
import { PARTITIONS, startApi, startSurroundings } from "./millrace.ts";
import { READY_WITHIN_MS } from "./node-process.ts";
import type { Row } from "./row.ts";
import { STOP_GRACE_MS, type Stage } from "./stage.ts";
import { putRate } from "./wrk.ts";

/** One process is up to a twentieth faster than the next one of its kind, for all its life. */
const STARTS = 4;
const ROUNDS = 4;
const ROUND_SECONDS = 2;
const RETRY_MS = 50;
/** More than a round can write. */
const KEYS_PER_ROUND = 200_000;

/** One of the two, while it runs. */
export interface Running {
  readonly child: Child;
  readonly apiUrl: string;
  readonly opsUrl: string;
}

export interface Cost {
  readonly name: string;
  readonly what: string;
  /** Environment of the process that has it, and of the one that has not. */
  readonly on: Readonly<Record<string, string>>;
  readonly off: Readonly<Record<string, string>>;
  /** False where what differs are single modules. */
  readonly packed?: boolean;
  /** What may be left of the rate without it: 0.97 is a cost of 3 %. */
  readonly ratioMin: number;
  /** Before anything is measured. @throws Error when the switch does not switch */
  readonly check?: (on: Running, off: Running) => Promise<void>;
  /** What belongs to it and happens beside the writes: once a round, on the process that has it. */
  readonly beside?: (on: Running) => Promise<void>;
}

/** A program of dist/bench that changes a process before it begins, as environment. */
export function preload(program: string): { NODE_OPTIONS: string } {
  return { NODE_OPTIONS: `--import=${new URL(program, import.meta.url).href}` };
}

export async function benchCost(
  stage: Stage,
  { name, what, on, off, packed, ratioMin, check, beside }: Cost,
): Promise<Row[]> {
  const start = async (env: Cost["on"], more: Cost["on"]): Promise<Running> => {
    const { child, apiUrl, opsUrl } = await startApi(stage, { ...env, ...more }, packed);
    await waitUntilReady("api", child, opsUrl, READY_WITHIN_MS);
    await firstPut(`${apiUrl}/v1/kv/bench/${firstKey()}`);
    return { child, apiUrl, opsUrl };
  };
  let rounds = 0;
  const measure = async ({ child, apiUrl }: Running): Promise<Figures> => {
    const before = processorUs(child.pid);
    const url = `${apiUrl}/v1/kv/bench/k`;
    rounds += 1;
    const perSecond = await putRate(stage, url, ROUND_SECONDS, rounds * KEYS_PER_ROUND, KEYS_PER_ROUND);
    return { perSecond, usPerPut: (processorUs(child.pid) - before) / (perSecond * ROUND_SECONDS) };
  };
  const taken: { ours: Figures[]; baseline: Figures[] } = { ours: [], baseline: [] };
  for (let started = 0; started < STARTS; started += 1) {
    // Redis too: without a consumer, what was written stands before the settings that an api wants to know first.
    const { env } = await startSurroundings(stage);
    const [having, lacking] = [await start(env, on), await start(env, off)];
    await check?.(having, lacking);
    const { ours, baseline } = await interleave(
      ROUNDS,
      async () => (await Promise.all([measure(having), beside?.(having)]))[0],
      () => measure(lacking),
    );
    taken.ours.push(...ours);
    taken.baseline.push(...baseline);
    await Promise.all([having.child.stop(STOP_GRACE_MS), lacking.child.stop(STOP_GRACE_MS)]);
  }
  const sides = (figure: keyof Figures) => ({
    ours: { name: "on", rounds: taken.ours.map((each) => each[figure]) },
    baseline: { name: "off", rounds: taken.baseline.map((each) => each[figure]) },
  });
  const rate: Row = {
    ...{ name, what, unit: "1/s", ...sides("perSecond") },
    targets: [{ of: "ratio", bound: "at least", value: ratioMin }],
  };
  if (Number.isNaN(taken.ours[0]?.usPerPut)) return [rate];
  const time: Row = {
    ...{ name: "", what: "processor time of the api a PUT", unit: "us", ...sides("usPerPut") },
    targets: [{ of: "ratio", bound: "at most", value: Number((1 / ratioMin).toFixed(2)) }],
  };
  return [rate, time];
}

interface Figures {
  readonly perSecond: number;
  readonly usPerPut: number;
}

/** What a process has taken so far (proc(5)): its clock ticks a hundred times a second. NaN where there is no /proc. */
function processorUs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return Number.NaN;
  }
}

/** An api is ready a moment before it takes writes: it learns the settings of namespaces first. */
async function firstPut(url: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      await request(url, 202, { method: "PUT", body: "v" });
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/** Not of the partition with the settings: without a consumer nobody who starts later would ever know them. */
function firstKey(): string {
  let at = 0;
  while (partitionOf("bench", `first-${at}`, PARTITIONS) === systemPartition(PARTITIONS)) at += 1;
  return `first-${at}`;
}
