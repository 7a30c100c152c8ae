/**
 * How many entries to ask for at once, so that a reply stays small when values are large.
 */
import { APPLY_BATCH_MAX_BYTES, APPLY_BATCH_MAX_COMMANDS } from "../core/limits.ts";
import type { RawEntry } from "../core/log.ts";

const COUNT_START = 64;
const COUNT_MIN = 4;

/** Grows by doubling while replies are full and light, and shrinks at once to what fits when they are heavy. */
export class ReadSize {
  #count = COUNT_START;

  get count(): number {
    return this.#count;
  }

  /** Learns from a reply. */
  observe(entries: readonly RawEntry[]): void {
    if (entries.length === 0) return;
    let bytes = 0;
    // The last field is the body; what stands before it is small.
    for (const [, fields] of entries) bytes += fields.at(-1)?.byteLength ?? 0;
    const fitting = Math.floor((2 * APPLY_BATCH_MAX_BYTES * entries.length) / Math.max(1, bytes));
    const wanted = entries.length >= this.#count ? this.#count * 2 : this.#count;
    this.#count = Math.max(COUNT_MIN, Math.min(wanted, fitting, APPLY_BATCH_MAX_COMMANDS));
  }
}
