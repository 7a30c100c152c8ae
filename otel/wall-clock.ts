/**
 * The time since the epoch of what was measured by `performance.now()`, to a fraction of a millisecond: both clocks are asked
 * when spans are exported, and one of the two, which is fine and runs evenly, when they are made.
 */

/** `Date.now()` tells whole milliseconds, and is slewed: further apart than this the clocks are not the same any more. */
const APART_MAX_MS = 1;
const ROUNDING_MS = 1;

export class WallClock {
  readonly #nowMs: () => number;
  readonly #sinceEpochMs: () => number;
  /** Between the two. */
  #offsetMs: number;

  /** @param nowMs counts evenly from `originMs` @param sinceEpochMs whole milliseconds */
  constructor(
    originMs: number = performance.timeOrigin,
    nowMs = () => performance.now(),
    sinceEpochMs: () => number = Date.now,
  ) {
    this.#offsetMs = originMs;
    this.#nowMs = nowMs;
    this.#sinceEpochMs = sinceEpochMs;
  }

  /** @param atMs by `performance.now()` */
  sinceEpoch(atMs: number): number {
    const apartMs = this.#sinceEpochMs() - this.#offsetMs - this.#nowMs();
    // The clock was set, or has run away from ours.
    if (apartMs > APART_MAX_MS || apartMs < -ROUNDING_MS - APART_MAX_MS) this.#offsetMs += apartMs + ROUNDING_MS / 2;
    return this.#offsetMs + atMs;
  }
}
