/**
 * Loads servers in turns of a fraction of a second, again and again. A machine that others use too gets slower and faster
 * from one second to the next, by a third: of two servers in turns each has as much of both.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Load } from "./wrk.ts";

const TURN_MS = 150;
/** For answers that were on their way when its turn ended. */
const SETTLE_MS = 10;

export interface TurnsTaken {
  readonly answers: number;
  /** For which it was its turn. */
  readonly seconds: number;
}

/**
 * @param loads as many as there are servers; they are ended
 * @param secondsEach for which it is each one's turn
 * @param beside called before each round of turns
 */
export async function inTurns(
  loads: readonly Load[],
  secondsEach: number,
  beside: (round: number) => void = () => undefined,
): Promise<TurnsTaken[]> {
  const ms = loads.map(() => 0);
  const rounds = Math.round((secondsEach * 1000) / TURN_MS);
  for (let round = 0; round < rounds; round += 1) {
    beside(round);
    // Who comes first changes too.
    const order = [...loads.entries()];
    if (round % 2 === 1) order.reverse();
    for (const [at, load] of order) ms[at] = (ms[at] ?? 0) + (await takeTurn(load));
  }
  const answers = await Promise.all(loads.map((load) => load.end()));
  return answers.map((each, at) => ({ answers: each, seconds: (ms[at] ?? 0) / 1000 }));
}

async function takeTurn(load: Load): Promise<number> {
  const begunMs = performance.now();
  load.resume();
  await sleep(TURN_MS);
  load.pause();
  const ms = performance.now() - begunMs;
  await sleep(SETTLE_MS);
  return ms;
}
