/**
 * The api's metrics page, in Prometheus' text format.
 */
import type { LetterCount } from "../core/dead-letter.ts";
import type { IdempotencyCount } from "../core/idempotency.ts";
import type { LogMemory } from "../core/log-memory.ts";
import type { PartitionStateName } from "../core/partition-state.ts";
import { METRICS } from "../core/telemetry.ts";
import type { Admission } from "./admission.ts";
import type { HttpCounts } from "./http-counts.ts";
import type { PartitionReport } from "./partition-monitor.ts";
import type { Watches } from "./watch/watches.ts";

export interface Measured {
  readonly counts: HttpCounts;
  /** Requests that wait now. */
  readonly waiting: number;
  readonly watches: Pick<Watches, "count" | "events">;
  readonly partitions: readonly PartitionReport[];
  readonly letters: readonly LetterCount[];
  readonly idempotency: readonly IdempotencyCount[];
  /** How often a partition has come into each state. */
  readonly entered: ReadonlyMap<PartitionStateName, number>;
  readonly closed: ReturnType<Admission["closed"]>;
  /** Null before it was looked at. */
  readonly logMemory: LogMemory | null;
  /** Commands that the log acknowledged and no longer counts. */
  readonly gone: number;
  /** Lines that the consumer tells too. */
  readonly shared: readonly string[];
}

export function renderMetrics(measured: Measured): string {
  const { counts, waiting, watches, partitions, letters, idempotency, entered, closed, logMemory, gone, shared } =
    measured;
  const lines = [...shared, `${METRICS.waiters.name} ${waiting}`, `${METRICS.logCommandsGone.name} ${gone}`];
  lines.push(`${METRICS.watchers.name} ${watches.count}`, `${METRICS.watchEvents.name} ${watches.events}`);
  for (const { route, status, count } of counts) {
    lines.push(`${METRICS.httpRequests.name}{route="${route}",status="${status}"} ${count}`);
  }
  for (const [slug, count] of counts.problems) lines.push(`${METRICS.httpProblems.name}{type="${slug}"} ${count}`);
  for (const { partition, backlog, state } of partitions) {
    lines.push(`${METRICS.partitionBacklog.name}{partition="${partition}"} ${backlog}`);
    lines.push(`${METRICS.partitionState.name}{partition="${partition}",state="${state}"} 1`);
  }
  for (const [partition, count] of letters.entries()) {
    lines.push(`${METRICS.deadLetters.name}{partition="${partition}"} ${count.letters}`);
    lines.push(`${METRICS.deadLetterBytes.name}{partition="${partition}"} ${count.bytes}`);
  }
  for (const [partition, { keys }] of idempotency.entries()) {
    lines.push(`${METRICS.idempotencyKeys.name}{partition="${partition}"} ${keys}`);
  }
  for (const [state, count] of entered) lines.push(`${METRICS.partitionStateEntered.name}{state="${state}"} ${count}`);
  for (const { bound, partition } of closed) {
    const of = partition === null ? "" : `,partition="${partition}"`;
    lines.push(`${METRICS.admissionClosed.name}{bound="${bound}"${of}} 1`);
  }
  if (logMemory !== null) {
    lines.push(
      `${METRICS.logMemoryUsed.name} ${logMemory.usedBytes}`,
      `${METRICS.logMemoryLimit.name} ${logMemory.limitBytes}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
