/**
 * Applies batches of one partition; each is counted, and what came of its commands is told to logs and traces.
 */
import type { Logger } from "pino";
import type { IdRange } from "../core/align-group.ts";
import { idBefore } from "../core/entry-id.ts";
import type { ApplyReply, Watermark } from "../core/functions/apply.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { ApplyMeter } from "./apply-meter.ts";
import { CommandSpans } from "./command-spans.ts";
import type { Batch } from "./decide.ts";
import { tellEnded } from "./ended-commands.ts";

/** Of what a dead owner had applied and not acked, so many are looked at. */
const SETTLED_MAX = { entries: 200, bytes: 4 * 1024 * 1024 };

export interface ApplierDependencies {
  readonly log: Pick<Log, "headers">;
  readonly store: Pick<Store, "apply">;
  readonly logger: Logger;
  readonly applies: ApplyMeter;
  /** The name this process has in the consumer group. */
  readonly consumer: string;
}

export class Applier {
  readonly #partition: number;
  readonly #deps: ApplierDependencies;
  readonly #spans: CommandSpans;

  constructor(partition: number, deps: ApplierDependencies) {
    this.#partition = partition;
    this.#deps = deps;
    this.#spans = new CommandSpans(partition, deps.consumer);
  }

  /** The call is on its way when this returns. */
  async apply(expected: Watermark, { entries }: Batch): Promise<ApplyReply> {
    const { store, applies, logger } = this.#deps;
    const applying = this.#spans.begin(entries);
    let reply: ApplyReply;
    try {
      reply = await store.apply(this.#partition, expected, entries);
    } catch (error) {
      applies.failed(entries);
      this.#spans.failed(applying, error);
      throw error;
    }
    if (reply.kind === "applied") {
      applies.applied(entries, (performance.now() - applying.begunMs) / 1000, Date.now());
      tellEnded(logger, this.#partition, entries, reply);
    } else applies.failed(entries);
    this.#spans.answered(applying, entries, reply);
    return reply;
  }

  /** What failed is tried again. */
  retry(): void {
    this.#spans.retry();
  }

  /** What an owner before had applied and not acked is acked now. Nobody waits for the telling. */
  async settled({ first, last }: IdRange): Promise<void> {
    const range = { after: idBefore(first), to: last, watermark: last, ...SETTLED_MAX };
    try {
      const { entries } = await this.#deps.log.headers(this.#partition, range);
      this.#spans.settled(entries);
    } catch {
      // The log is away again.
    }
  }
}
