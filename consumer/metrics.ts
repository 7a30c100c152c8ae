/**
 * What the consumer's metrics page tells.
 */
import type { AppendMeter } from "../core/append-meter.ts";
import { MetricsPage } from "../core/metrics-page.ts";
import { isHalted } from "../core/partition-state.ts";
import { type Reached, redisReadings } from "../core/redis/redis-readings.ts";
import type { ApplyMeter } from "./apply-meter.ts";
import type { Counters } from "./counters.ts";
import type { JobRunner } from "./jobs/job-runner.ts";
import type { PartitionWorker } from "./partition-worker.ts";

/** Where the figures are counted. */
export interface Measured {
  readonly redis: Readonly<Record<"log" | "store", Reached>>;
  readonly appends: Pick<AppendMeter, "readings">;
  readonly applies: Pick<ApplyMeter, "readings">;
  readonly counters: Counters;
  readonly workers: ReadonlyMap<number, Pick<PartitionWorker, "partition" | "word">>;
  readonly jobs: Pick<JobRunner, "running" | "ended">;
  readonly partitions: number;
}

export function consumerMetrics(measured: Measured): MetricsPage<"consumer"> {
  const { redis, appends, applies, counters, workers, jobs, partitions } = measured;
  const owned = () => [...workers.values()];
  return new MetricsPage<"consumer">({
    ...redisReadings(redis),
    ...appends.readings,
    ...applies.readings,
    partitions: () => partitions,
    partitionState: () => owned().map(({ partition, word: { state } }) => [{ partition, state }, 1] as const),
    partitionStateEntered: () => [...counters.entered].map(([state, count]) => [{ state }, count] as const),
    commandsApplied: () => counters.applied,
    commandsRejected: () => counters.rejected,
    commandsDead: () => counters.dead,
    commandsRepeated: () => counters.repeated,
    commandsLost: () => counters.jumped,
    applyMismatches: () => counters.mismatches,
    partitionHolds: () => counters.held,
    partitionHalts: () =>
      [...counters.entered].reduce((sum, [state, count]) => (isHalted({ state, reason: "" }) ? sum + count : sum), 0),
    storeHeals: () => counters.heals,
    partitionTakeovers: () => counters.takeovers,
    partitionOwner: () => owned().map(({ partition }) => [{ partition }, 1] as const),
    partitionsOwned: () => workers.size,
    logEntriesTrimmed: () => counters.trimmed,
    logEntriesTrimmedEarly: () => counters.trimmedEarly,
    logReconciliations: () => counters.reconciliations,
    commandsMissedByLog: () => counters.missedByLog,
    commandsReappended: () => counters.reappended,
    jobsRunning: () => jobs.running,
    jobsEnded: () => [...jobs.ended].map(([end, count]) => [{ end }, count] as const),
  });
}
