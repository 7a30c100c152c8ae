/**
 * The consumer's metrics page, in Prometheus' text format.
 */
import { METRICS } from "../core/telemetry.ts";
import type { Counters } from "./counters.ts";
import type { JobRunner } from "./jobs/job-runner.ts";
import type { PartitionWorker } from "./partition-worker.ts";

/** @param shared lines that the api tells too */
export function renderMetrics(
  counters: Counters,
  workers: ReadonlyMap<number, PartitionWorker>,
  jobs: Pick<JobRunner, "running" | "ended">,
  shared: readonly string[],
): string {
  const lines = [
    ...shared,
    `${METRICS.commandsApplied} ${counters.applied}`,
    `${METRICS.commandsRejected} ${counters.rejected}`,
    `${METRICS.commandsDead} ${counters.dead}`,
    `${METRICS.commandsRepeated} ${counters.repeated}`,
    `${METRICS.commandsLost} ${counters.jumped}`,
    `${METRICS.applyBatches} ${counters.batches}`,
    `${METRICS.applyMismatches} ${counters.mismatches}`,
    `${METRICS.partitionHolds} ${counters.held}`,
    `${METRICS.storeHeals} ${counters.heals}`,
    `${METRICS.partitionTakeovers} ${counters.takeovers}`,
    `${METRICS.logEntriesTrimmed} ${counters.trimmed}`,
    `${METRICS.logReconciliations} ${counters.reconciliations}`,
    `${METRICS.commandsMissedByLog} ${counters.missedByLog}`,
    `${METRICS.commandsReappended} ${counters.reappended}`,
    `${METRICS.logEntriesTrimmedEarly} ${counters.trimmedEarly}`,
    `${METRICS.partitionsOwned} ${workers.size}`,
    `${METRICS.jobsRunning} ${jobs.running}`,
  ];
  for (const [state, count] of counters.entered) {
    lines.push(`${METRICS.partitionStateEntered}{state="${state}"} ${count}`);
  }
  for (const [end, count] of jobs.ended) lines.push(`${METRICS.jobsEnded}{end="${end}"} ${count}`);
  for (const worker of workers.values()) {
    lines.push(`${METRICS.partitionState}{partition="${worker.partition}",state="${worker.word.state}"} 1`);
  }
  return `${lines.join("\n")}\n`;
}
