/**
 * How fast a backlog is worked off, seen from outside: by asking for it again and again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "../infra/local/child.ts";

const POLL_MS = 100;
const DRAIN_WITHIN_MS = 60_000;
/** The part of the work that counts: before it the worker is warming up, after it some partitions have nothing left. */
const FROM = 0.25;
const TO = 0.9;
const SAMPLES_MIN = 5;

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/**
 * Waits until the worker has brought the backlog to 0. Gives the samples of what was done by when, the last of them with
 * all of it done. @throws when the worker ends before, or takes too long.
 */
export async function drain(worker: Child, total: number, backlog: () => Promise<number>): Promise<Sample[]> {
  const startMs = performance.now();
  const samples: Sample[] = [];
  for (;;) {
    const askedMs = performance.now();
    const left = await backlog();
    const answeredMs = performance.now();
    // The answer is of some moment between the two.
    samples.push({ atMs: (askedMs + answeredMs) / 2, done: total - left });
    if (left === 0) return samples;
    if (!worker.running) throw new Error(`the worker ended with ${left} of ${total} left:\n${lastLines(worker)}`);
    if (answeredMs - startMs > DRAIN_WITHIN_MS) {
      throw new Error(`${left} of ${total} left after ${DRAIN_WITHIN_MS} ms:\n${lastLines(worker)}`);
    }
    await sleep(POLL_MS);
  }
}

function lastLines(worker: Child): string {
  return worker.lines().slice(-15).join("\n");
}

/** Commands per second between a quarter and nine tenths of the work. */
export function drainRate(total: number, samples: readonly Sample[]): number {
  const counted = samples.filter(({ done }) => done >= total * FROM && done <= total * TO);
  const [first, last] = [counted[0], counted.at(-1)];
  if (first === undefined || last === undefined || counted.length < SAMPLES_MIN) {
    throw new Error(`the work was done before it could be measured: ${counted.length} samples; give it more`);
  }
  return ((last.done - first.done) / (last.atMs - first.atMs)) * 1_000;
}
