/**
 * The store as a consumer's workers use it: each apply is counted.
 */
import type { ApplicableEntry, ApplyReply, Watermark } from "../core/functions/apply.ts";
import type { Link } from "../core/redis/link.ts";
import { Store } from "../core/store.ts";
import type { ApplyMeter } from "./apply-meter.ts";

export class MeasuredStore extends Store {
  readonly #meter: ApplyMeter;

  constructor(link: Link, partitions: number, meter: ApplyMeter) {
    super(link, partitions);
    this.#meter = meter;
  }

  override async apply(
    partition: number,
    expected: Watermark,
    entries: readonly ApplicableEntry[],
  ): Promise<ApplyReply> {
    const begunMs = performance.now();
    try {
      const reply = await super.apply(partition, expected, entries);
      if (reply.kind === "applied") this.#meter.applied(entries, (performance.now() - begunMs) / 1000, Date.now());
      else this.#meter.failed(entries);
      return reply;
    } catch (error) {
      this.#meter.failed(entries);
      throw error;
    }
  }
}
