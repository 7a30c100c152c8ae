/**
 * The store as a consumer's workers use it: each apply is counted, and what it did not do is told.
 */
import type { Logger } from "pino";
import type { ApplicableEntry, ApplyReply, Watermark } from "../core/functions/apply.ts";
import type { Link } from "../core/redis/link.ts";
import { Store } from "../core/store.ts";
import type { ApplyMeter } from "./apply-meter.ts";
import { tellEnded } from "./ended-commands.ts";

export class MeasuredStore extends Store {
  readonly #meter: ApplyMeter;
  readonly #logger: Logger;

  constructor(link: Link, partitions: number, meter: ApplyMeter, logger: Logger) {
    super(link, partitions);
    this.#meter = meter;
    this.#logger = logger;
  }

  override async apply(
    partition: number,
    expected: Watermark,
    entries: readonly ApplicableEntry[],
  ): Promise<ApplyReply> {
    const begunMs = performance.now();
    try {
      const reply = await super.apply(partition, expected, entries);
      if (reply.kind === "applied") {
        this.#meter.applied(entries, (performance.now() - begunMs) / 1000, Date.now());
        tellEnded(this.#logger, partition, entries, reply);
      } else this.#meter.failed(entries);
      return reply;
    } catch (error) {
      this.#meter.failed(entries);
      throw error;
    }
  }
}
