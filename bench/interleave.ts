/**
 * Measures two things in turn, A B A B, so that a machine that gets slower or faster meanwhile does so for both.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** Between rounds, so that one side's last fsync and log lines do not fall into the other side's round. */
const SETTLE_MS = 300;

/** Both sides see the same round number: a round that writes keys of its own starts at an offset made from it. */
export type Measure<T> = (round: number) => Promise<T>;

/** Round 0 of both sides is the warm-up and is thrown away. */
export async function interleave<T>(rounds: number, ours: Measure<T>, baseline: Measure<T>) {
  const taken: { ours: T[]; baseline: T[] } = { ours: [], baseline: [] };
  for (let round = 0; round <= rounds; round += 1) {
    const a = await ours(round);
    await sleep(SETTLE_MS);
    const b = await baseline(round);
    await sleep(SETTLE_MS);
    if (round === 0) continue;
    taken.ours.push(a);
    taken.baseline.push(b);
  }
  return taken;
}
