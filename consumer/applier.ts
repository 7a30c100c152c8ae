/**
 * Applies batches of one partition, and tells what came of their commands to whoever looks at traces and logs. What is told
 * is read beside the way of the commands: nothing waits for it, and where that fails nothing but the telling is lost.
 */
import type { Logger } from "pino";
import type { IdRange } from "../core/align-group.ts";
import type { Result } from "../core/command.ts";
import { type EntryId, formatRevision, idBefore } from "../core/entry-id.ts";
import type { ApplicableEntry, ApplyReply, Watermark } from "../core/functions/apply.ts";
import { DEAD_TOLD_MAX } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import { traceIdOf } from "../core/trace-context.ts";
import { type Applying, CommandSpans } from "./command-spans.ts";
import type { Batch } from "./decide.ts";

/** Of what a dead owner had applied and not acked, so many are looked at. */
const SETTLED_MAX = { entries: 200, bytes: 4 * 1024 * 1024 };

export interface ApplierDependencies {
  readonly log: Pick<Log, "headers">;
  readonly store: Pick<Store, "apply" | "outcomes">;
  readonly logger: Logger;
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
    let reply: ApplyReply;
    try {
      reply = await this.#deps.store.apply(this.#partition, expected, entries);
    } catch (error) {
      this.#spans.failed(applying, error);
      throw error;
    }
    this.#spans.answered(applying, reply);
    if (reply.kind === "applied") void this.#tell(applying, entries, reply);
    return reply;
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

  /** Costs nothing where nothing of the batch is recorded and nothing died. */
  async #tell(
    applying: Applying,
    entries: readonly ApplicableEntry[],
    { dead, rejected }: Extract<ApplyReply, { kind: "applied" }>,
  ): Promise<void> {
    if (dead === 0 && applying.sampled.length === 0) return;
    const outcomes = dead + rejected > 0 ? await this.#outcomes(entries) : NONE;
    const died = entries.filter(({ id }) => outcomes.get(id)?.outcome === "dead").slice(0, DEAD_TOLD_MAX);
    for (const entry of died) this.#tellDead(entry);
    const commands = died.filter((entry) => entry.kind === "command");
    this.#spans.processed(applying, commands, outcomes);
  }

  async #outcomes(entries: readonly ApplicableEntry[]): Promise<ReadonlyMap<EntryId, Result>> {
    try {
      const from = entries[0]?.id ?? "-";
      return (await this.#deps.store.outcomes(this.#partition, from, entries.length)).outcomes;
    } catch {
      // The store is away again: the outcomes stay in it.
      return NONE;
    }
  }

  #tellDead(entry: ApplicableEntry): void {
    const traceparent = entry.kind === "command" ? entry.command.traceparent : undefined;
    const trace = traceparent === undefined ? {} : { trace_id: traceIdOf(traceparent) };
    const id = formatRevision(this.#partition, entry.id);
    this.#deps.logger.warn({ id, ...trace }, "a command is dead: see its dead letter");
  }
}

const NONE: ReadonlyMap<EntryId, Result> = new Map();
