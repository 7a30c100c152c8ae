/**
 * The spans of commands on their way into the store: of each recorded one its own, in the trace that came with it, and one
 * of each call that applies a batch. A command that is dead is recorded whatever its trace was sampled for, so that it is
 * always found under the trace id in its status.
 *
 * A batch that is tried again, because a call failed, shows its attempts. A batch that was applied by an owner who died
 * before he acked it shows the ack of the next one, and no second write.
 */
import { type Attributes, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { endFailed, startCallSpan } from "../core/call-span.ts";
import type { Entry } from "../core/codec.ts";
import type { Command, Result } from "../core/command.ts";
import { type EntryId, formatRevision, idTimeMs } from "../core/entry-id.ts";
import type { ApplicableEntry, ApplyReply } from "../core/functions/apply.ts";
import { APPLY_GROUP } from "../core/keys.ts";
import { ATTRIBUTES, LOG_NAME, MESSAGING_SYSTEM, SPANS, TRACER } from "../core/telemetry.ts";
import { contextOf, isSampled } from "../core/trace-context.ts";

type CommandEntry = Extract<Entry, { kind: "command" }>;

type EndResult = Exclude<Result, { outcome: "applied" }> | typeof APPLIED;
const APPLIED = { outcome: "applied" } as const;

/** One call on its way. */
export interface Applying {
  /** Since the epoch. */
  readonly startMs: number;
  /** The same moment by the clock that is fine enough for a call: most take less than a millisecond. */
  readonly begunMs: number;
  readonly sampled: readonly CommandEntry[];
  /** Null where none of its commands is recorded. */
  readonly call: Span | null;
  readonly attempt: number;
}

export class CommandSpans {
  readonly #partition: number;
  /** What all spans of a kind have here. */
  readonly #processAttributes: Attributes;
  readonly #settleAttributes: Attributes;
  readonly #tracer = trace.getTracer(TRACER);
  /** From 1: how often calls had failed since the last batch that was applied. */
  #attempt = 1;
  /** Calls that were on their way together fail together. */
  #failed = false;

  constructor(partition: number, consumer: string) {
    this.#partition = partition;
    const common: Attributes = {
      [ATTRIBUTES.messagingSystem]: MESSAGING_SYSTEM,
      [ATTRIBUTES.messagingDestination]: LOG_NAME,
      [ATTRIBUTES.messagingPartition]: String(partition),
      [ATTRIBUTES.messagingGroup]: APPLY_GROUP,
      [ATTRIBUTES.messagingClient]: consumer,
    };
    this.#processAttributes = { ...common, ...operationOf("process", "process") };
    this.#settleAttributes = { ...common, ...operationOf("ack", "settle") };
  }

  begin(entries: readonly ApplicableEntry[]): Applying {
    const sampled = entries.filter(isRecorded);
    const startMs = Date.now();
    const begunMs = performance.now();
    const attempt = this.#attempt;
    if (sampled.length === 0) return { startMs, begunMs, sampled, call: null, attempt };
    const commands = sampled.map(({ command }) => command);
    const call = startCallSpan(this.#tracer, SPANS.apply, commands, entries.length);
    call.setAttribute(ATTRIBUTES.messagingPartition, String(this.#partition));
    return { startMs, begunMs, sampled, call, attempt };
  }

  /** The call has answered. */
  answered(applying: Applying, entries: readonly ApplicableEntry[], reply: ApplyReply): void {
    const { call, sampled } = applying;
    if (reply.kind !== "applied") {
      call?.setAttribute(ATTRIBUTES.outcome, reply.kind).end();
      return;
    }
    call?.end();
    this.#attempt = 1;
    if (sampled.length === 0 && reply.dead === 0) return;
    const ended = new Map(reply.ended.map(({ id, result }) => [id, result]));
    const died = entries.filter((entry) => ended.get(entry.id)?.outcome === "dead" && !isRecorded(entry));
    // Not all of many are named.
    const unnamed = reply.dead + reply.rejected > ended.size ? null : APPLIED;
    const endMs = performance.now();
    for (const entry of [...sampled, ...died]) {
      if (entry.kind === "command") this.#processed(applying, entry, ended.get(entry.id) ?? unnamed, endMs);
    }
  }

  /** @param result null: nobody says */
  #processed(applying: Applying, { id, command }: CommandEntry, result: EndResult | null, endMs: number): void {
    const span = this.#start(applying, id, command);
    if (result !== null) span.setAttribute(ATTRIBUTES.outcome, result.outcome);
    if (result?.outcome === "rejected") span.setAttribute(ATTRIBUTES.reason, result.reason);
    // Why is in its dead letter, which may name what must not be here.
    if (result?.outcome === "dead") {
      span.setAttribute(ATTRIBUTES.letter, formatRevision(this.#partition, id));
      span.setAttribute(ATTRIBUTES.errorType, "command-dead");
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end(endMs);
  }

  /** The call has failed, and will be made again. Told of the 1st, 2nd, 4th, 8th … time, so that a long outage is few spans. */
  failed(applying: Applying, error: unknown): void {
    const { call, sampled, attempt } = applying;
    this.#failed = true;
    if (call) endFailed(call, error);
    if ((attempt & (attempt - 1)) !== 0) return;
    const endMs = performance.now();
    for (const { id, command } of sampled) endFailed(this.#start(applying, id, command), error, endMs);
  }

  /** The partition goes on after a failure. */
  retry(): void {
    if (this.#failed) this.#attempt += 1;
    this.#failed = false;
  }

  /** These were applied, and had not been acked: whoever had them is gone. */
  settled(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind !== "command" || !isRecorded(entry)) continue;
      const options = { kind: SpanKind.CLIENT, attributes: this.#settleAttributes };
      const span = this.#tracer.startSpan(SPANS.settle, options, contextOf(entry.command));
      span.setAttribute(ATTRIBUTES.messagingMessage, formatRevision(this.#partition, entry.id));
      span.setAttribute(ATTRIBUTES.redelivered, true).end();
    }
  }

  #start({ startMs, begunMs, call, attempt }: Applying, id: EntryId, command: Command): Span {
    const links = call ? [{ context: call.spanContext() }] : [];
    const options = { kind: SpanKind.CONSUMER, attributes: this.#processAttributes, links, startTime: begunMs };
    const span = this.#tracer.startSpan(SPANS.process, options, contextOf(command, true));
    span.setAttribute(ATTRIBUTES.messagingMessage, formatRevision(this.#partition, id));
    span.setAttribute(ATTRIBUTES.namespace, command.namespace);
    span.setAttribute(ATTRIBUTES.operation, command.operation.op);
    span.setAttribute(ATTRIBUTES.attempt, attempt);
    return span.setAttribute(ATTRIBUTES.queued, Math.max(0, startMs - idTimeMs(id)) / 1000);
  }
}

function operationOf(operation: string, type: string): Attributes {
  return { [ATTRIBUTES.messagingOperation]: operation, [ATTRIBUTES.messagingOperationType]: type };
}

function isRecorded(entry: ApplicableEntry): entry is CommandEntry {
  return entry.kind === "command" && isSampled(entry.command.traceparent);
}
