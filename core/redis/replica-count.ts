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
  /** What was promotable in the quiet time so far, at most the last stretch of it that counts. */
  #quiet: { readonly atMs: number; readonly promotable: number }[] = [];
  #quietSinceMs: number | null = null;
  #seen = "";

  /** Null before anything was agreed: nothing can be confirmed. Never 0: a group under Sentinel has replicas. */
  get count(): number | null {
    return this.#count;
  }

  /** @param agreement null while no majority of the Sentinels agrees */
  observe(agreement: Agreement | null, nowMs: number): void {
    const seen = `${agreement?.master} ${agreement?.epoch}`;
    if (!agreement?.quiet || seen !== this.#seen) this.#quietSinceMs = null;
    this.#seen = seen;
    if (agreement === null) return;

    const promotable = Math.max(1, agreement.promotable);
    // At the start even the dead count: they may have died a moment ago.
    if (this.#count === null) this.#count = Math.max(1, agreement.known);
    else if (promotable > this.#count) this.#count = promotable;

    if (!agreement.quiet) return;
    if (this.#quietSinceMs === null) this.#quiet = [];
    this.#quietSinceMs ??= nowMs;
    this.#quiet.push({ atMs: nowMs, promotable });
    const neededMs = Math.max(QUIET_MIN_MS, QUIET_DOWN_AFTERS * agreement.downAfterMs);
    if (nowMs - this.#quietSinceMs < neededMs) return;
    this.#quiet = this.#quiet.filter(({ atMs }) => atMs > nowMs - neededMs);
    this.#count = Math.max(...this.#quiet.map((each) => each.promotable));
  }
}
