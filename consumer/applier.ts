/**
 * Applies batches of one partition, and tells what came of their commands to whoever looks at traces. What is told is never
 * waited for, and where that fails nothing but the telling is lost.
 */
import type { IdRange } from "../core/align-group.ts";
import { idBefore } from "../core/entry-id.ts";
import type { ApplyReply, Watermark } from "../core/functions/apply.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import { CommandSpans } from "./command-spans.ts";
import type { Batch } from "./decide.ts";

/** Of what a dead owner had applied and not acked, so many are looked at. */
const SETTLED_MAX = { entries: 200, bytes: 4 * 1024 * 1024 };

export interface ApplierDependencies {
  readonly log: Pick<Log, "headers">;
  readonly store: Pick<Store, "apply">;
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
    const applying = this.#spans.begin(entries);
    try {
      const reply = await this.#deps.store.apply(this.#partition, expected, entries);
      this.#spans.answered(applying, entries, reply);
      return reply;
    } catch (error) {
      this.#spans.failed(applying, error);
      throw error;
    }
  }

  /** What failed is tried again. */
  retry(): void {
    this.#spans.retry();
  }

  /** What an owner before had applied and not acked is acked now. */
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
