/**
 * K: how many replicas must hold a write before it counts as confirmed (rule R3). Pure.
 *
 * K is all replicas that Sentinel might promote, so that whichever it promotes has every confirmed write. It grows at once,
 * and shrinks only after a quiet time: during a failover the number of replicas falls by itself, and just then a write
 * that fewer of them hold can be lost. WAIT 1 of two replicas lost two thirds of the acknowledged writes around a failover.
 */
import type { Agreement } from "./sentinel-view.ts";

/** How many times down-after it must have been quiet: time for Sentinel to notice, to elect and to promote. */
const QUIET_DOWN_AFTERS = 3;
const QUIET_MIN_MS = 3000;

export class ReplicaCount {
  #count: number | null = null;
  /** The most that were promotable since the quiet time began. */
  #most = 0;
  #quietSinceMs: number | null = null;
  #seen = "";

  /** Null before anything was agreed: nothing can be confirmed. Never 0: a group under Sentinel has replicas. */
  get count(): number | null {
    return this.#count;
  }

  /** @param agreement null while no majority of the Sentinels agrees */
  observe(agreement: Agreement | null, nowMs: number): void {
    if (agreement === null) {
      this.#quietSinceMs = null;
      return;
    }
    const wanted = Math.max(1, agreement.promotable);
    // At the start even the dead count: they may have died a moment ago.
    if (this.#count === null) this.#count = Math.max(1, agreement.known);
    else if (wanted > this.#count) this.#count = wanted;

    const seen = `${agreement.master} ${agreement.epoch}`;
    if (!agreement.quiet || seen !== this.#seen) this.#quietSinceMs = null;
    this.#seen = seen;
    if (!agreement.quiet) return;
    this.#most = this.#quietSinceMs === null ? wanted : Math.max(this.#most, wanted);
    this.#quietSinceMs ??= nowMs;
    if (nowMs - this.#quietSinceMs < Math.max(QUIET_MIN_MS, QUIET_DOWN_AFTERS * agreement.downAfterMs)) return;
    this.#count = this.#most;
    this.#most = wanted;
    this.#quietSinceMs = nowMs;
  }
}
