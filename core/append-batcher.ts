/**
 * Sends the groups that are appended in one step together: one call for all partitions on a node, one WAIT for all.
 */

import { type Span, trace } from "@opentelemetry/api";
import { endFailed, startCallSpan } from "./call-span.ts";
import { bytesIn, type Command } from "./command.ts";
import { type Appended, appendCall, type Group, parseAppended } from "./functions/append.ts";
import { isFunctionMissing, type Library } from "./functions/library.ts";
import type { Grade } from "./grade.ts";
import type { PartitionKeys } from "./keys.ts";
import { APPEND_CALL_MAX_BYTES, APPEND_CALL_MAX_COMMANDS } from "./limits.ts";
import type { Coalescer } from "./redis/coalescer.ts";
import { ATTRIBUTES, SPANS, TRACER } from "./telemetry.ts";
import { isSampled } from "./trace-context.ts";

interface Waiting {
  readonly keys: PartitionKeys;
  readonly group: Group;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

export interface AppendBatcherOptions {
  /** What its calls reach. */
  readonly grade: Grade;
  readonly library: Library;
  readonly coalescer: Coalescer;
  /** Partitions are spread over nodes (Redis Cluster): a call may then only name one. */
  readonly spread: boolean;
  /** Loads the functions again. */
  readonly prepare: () => Promise<void>;
}

export class AppendBatcher {
  readonly #options: AppendBatcherOptions;
  readonly #tracer = trace.getTracer(TRACER);
  #waiting: Waiting[] = [];

  constructor(options: AppendBatcherOptions) {
    this.#options = options;
  }

  /** @throws what {@link Coalescer.send} throws, or Redis' refusal of this group alone */
  send(keys: PartitionKeys, group: Group): Promise<Appended> {
    if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ keys, group, resolve, reject });
    });
  }

  #flush(): void {
    let batch: Waiting[] = [];
    let commands = 0;
    let bytes = 0;
    for (const waiting of this.#waiting) {
      const size = sizeOf(waiting.group);
      const count = waiting.group.commands.length;
      const full = commands + count > APPEND_CALL_MAX_COMMANDS || bytes + size > APPEND_CALL_MAX_BYTES;
      if (batch.length > 0 && (full || this.#options.spread)) {
        void this.#call(batch);
        batch = [];
        commands = 0;
        bytes = 0;
      }
      batch.push(waiting);
      commands += count;
      bytes += size;
    }
    this.#waiting = [];
    void this.#call(batch);
  }

  async #call(batch: readonly Waiting[]): Promise<void> {
    const span = this.#startSpan(batch);
    try {
      const replies = parseAppended(await this.#send(batch));
      span?.end();
      batch.forEach(({ resolve, reject }, index) => {
        const reply = replies[index];
        if (reply === undefined || reply instanceof Error) reject(reply);
        else resolve(reply);
      });
    } catch (error) {
      if (span) endFailed(span, error);
      for (const { reject } of batch) reject(error);
    }
  }

  /** @returns null where none of the commands is recorded */
  #startSpan(batch: readonly Waiting[]): Span | null {
    const sampled: Command[] = [];
    let count = 0;
    for (const { group } of batch) {
      count += group.commands.length;
      for (const command of group.commands) if (isSampled(command.traceparent)) sampled.push(command);
    }
    if (sampled.length === 0) return null;
    return startCallSpan(this.#tracer, SPANS.append, sampled, count).setAttribute(
      ATTRIBUTES.grade,
      this.#options.grade,
    );
  }

  async #send(batch: readonly Waiting[]): Promise<unknown> {
    const { library, coalescer, prepare } = this.#options;
    const call = appendCall(
      library,
      batch.map(({ keys, group }) => [keys, group] as const),
    );
    try {
      return await coalescer.send(call);
    } catch (error) {
      if (!isFunctionMissing(error)) throw error;
      await prepare();
      return await coalescer.send(call);
    }
  }
}

function sizeOf(group: Group): number {
  let bytes = 0;
  for (const { operation } of group.commands) bytes += bytesIn(operation);
  return bytes;
}
