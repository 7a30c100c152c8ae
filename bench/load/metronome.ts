/**
 * A thread that ticks on schedule. Node's timers are late by up to a millisecond, which is what is to be measured;
 * a thread that sleeps in Atomics.wait is late by well under a tenth of one.
 */
import { parentPort, workerData } from "node:worker_threads";

/** What the thread is given: the first tick, on the clock of performance.timeOrigin + performance.now(), and the rest. */
export interface Schedule {
  readonly firstTickMs: number;
  readonly intervalMs: number;
  readonly ticks: number;
}

const { firstTickMs, intervalMs, ticks }: Schedule = workerData;
const never = new Int32Array(new SharedArrayBuffer(4));

for (let tick = 0; tick < ticks; tick += 1) {
  const waitMs = firstTickMs + tick * intervalMs - (performance.timeOrigin + performance.now());
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
  parentPort?.postMessage(tick);
}
