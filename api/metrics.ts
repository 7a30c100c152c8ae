/**
 * What the api's metrics page tells.
 */
import type { AppendMeter } from "../core/append-meter.ts";
import type { LetterCount } from "../core/dead-letter.ts";
import type { IdempotencyCount } from "../core/idempotency.ts";
import type { LogMemory } from "../core/log-memory.ts";
import { MetricsPage, type Series } from "../core/metrics-page.ts";
import type { PartitionStateName } from "../core/partition-state.ts";
import { type Reached, redisReadings } from "../core/redis/redis-readings.ts";
import type { Admission } from "./admission.ts";
import type { HttpCounts } from "./http-counts.ts";
import type { OldestUnapplied } from "./oldest-unapplied.ts";
import type { PartitionReport } from "./partition-monitor.ts";
import type { Watches } from "./watch/watches.ts";

/** Where the figures are counted. */
export interface Measured {
  readonly redis: Readonly<Record<"log" | "store", Reached>>;
  readonly appends: Pick<AppendMeter, "readings">;
  readonly counts: HttpCounts;
  readonly feed: { readonly waiting: number };
  readonly watches: Pick<Watches, "count" | "events">;
  readonly monitor: { readonly last: readonly PartitionReport[] };
  readonly oldest: Pick<OldestUnapplied, "ages">;
  readonly letters: { readonly last: readonly LetterCount[] };
  readonly idempotency: { readonly last: readonly IdempotencyCount[] };
  /** How often a partition has come into each state. */
  readonly entered: ReadonlyMap<PartitionStateName, number>;
  readonly admission: Pick<Admission, "closed">;
  /** Null before it was looked at. */
  readonly logMemory: { readonly last: LogMemory | null };
  readonly marks: { readonly gone: number };
  readonly partitions: number;
}

export function apiMetrics(measured: Measured): MetricsPage<"api"> {
  const { redis, appends, counts, feed, watches, monitor, oldest, letters, idempotency, entered } = measured;
  const { admission, logMemory, marks, partitions } = measured;
  const reported = (figure: (report: PartitionReport) => number) => () =>
    monitor.last.map((report) => [{ partition: report.partition }, figure(report)] as const);
  return new MetricsPage<"api">({
    ...redisReadings(redis),
    ...appends.readings,
    partitions: () => partitions,
    partitionState: () => monitor.last.map(({ partition, state }) => [{ partition, state }, 1] as const),
    partitionStateEntered: () => [...entered].map(([state, count]) => [{ state }, count] as const),
    httpRequests: () => [...counts].map(({ route, status, count }) => [{ route, status }, count] as const),
    httpDuration: () => [...counts.durations()].map(({ route, seconds }) => [{ route }, seconds] as const),
    httpProblems: () => [...counts.problems].map(([type, count]) => [{ type }, count] as const),
    waiters: () => feed.waiting,
    watchers: () => watches.count,
    watchEvents: () => watches.events,
    admissionClosed: () => admission.closed().map(({ bound, partition }) => [closedAt(bound, partition), 1] as const),
    logMemoryUsed: () => logMemory.last?.usedBytes ?? null,
    logMemoryLimit: () => logMemory.last?.limitBytes ?? null,
    logCommandsGone: () => marks.gone,
    partitionBacklog: reported(({ backlog }) => backlog),
    partitionOldestUnapplied: () => oldest.ages(),
    partitionHasOwner: reported(({ owner }) => (owner === null ? 0 : 1)),
    deadLetters: () => byPartition(letters.last, (count) => count.letters),
    deadLetterBytes: () => byPartition(letters.last, ({ bytes }) => bytes),
    idempotencyKeys: () => byPartition(idempotency.last, ({ keys }) => keys),
  });
}

function byPartition<Each>(all: readonly Each[], figure: (each: Each) => number): Series<"partition"> {
  return all.map((each, partition) => [{ partition }, figure(each)] as const);
}

function closedAt(bound: string, partition: number | null) {
  return partition === null ? { bound } : { bound, partition };
}
