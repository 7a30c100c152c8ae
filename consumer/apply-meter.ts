/**
 * Counts what goes into the store: batches, how long each took, and how old each command was when it was applied.
 */

import { idTimeMs } from "../core/entry-id.ts";
import type { ApplicableEntry } from "../core/functions/apply.ts";
import { Histogram } from "../core/histogram.ts";
import type { Readings } from "../core/metrics-page.ts";
import { METRICS } from "../core/telemetry.ts";

type Name = "putToApplied" | "applyBatch" | "applyDuration" | "commandsRetried";

export class ApplyMeter {
  readonly #ages = new Histogram(METRICS.putToApplied.buckets);
  readonly #batch = new Histogram(METRICS.applyBatch.buckets);
  readonly #seconds = new Histogram(METRICS.applyDuration.buckets);
  #retried = 0;

  /** @param nowMs since the epoch, when the answer came */
  applied(entries: readonly ApplicableEntry[], seconds: number, nowMs: number): void {
    this.#seconds.observe(seconds);
    this.#batch.observe(entries.length);
    observeAges(this.#ages, entries, nowMs);
  }

  /** An apply failed, or had no effect: whatever it was to apply comes again. */
  failed(entries: readonly ApplicableEntry[]): void {
    this.#retried += entries.length;
  }

  get readings(): Readings<Name> {
    return {
      putToApplied: () => this.#ages,
      applyBatch: () => this.#batch,
      applyDuration: () => this.#seconds,
      commandsRetried: () => this.#retried,
    };
  }
}

/**
 * Commands that were appended together share their id's milliseconds, and lie side by side, the oldest first: where the
 * first and the last of a stretch share them, all between do, and are counted at once. The log's clock may be ahead of
 * ours: nothing is younger than 0.
 */
export function observeAges(ages: Histogram, entries: readonly Pick<ApplicableEntry, "id">[], nowMs: number): void {
  const msAt = (at: number) => idTimeMs(entries[at]?.id ?? "");
  const observe = (from: number, fromMs: number, to: number, toMs: number): void => {
    if (fromMs === toMs) {
      ages.observe(Math.max(0, nowMs - fromMs) / 1000, to - from + 1);
      return;
    }
    const middle = (from + to) >> 1;
    observe(from, fromMs, middle, middle === from ? fromMs : msAt(middle));
    observe(middle + 1, middle + 1 === to ? toMs : msAt(middle + 1), to, toMs);
  };
  const last = entries.length - 1;
  if (last >= 0) observe(0, msAt(0), last, msAt(last));
}
