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
    `${METRICS.commandsApplied.name} ${counters.applied}`,
    `${METRICS.commandsRejected.name} ${counters.rejected}`,
    `${METRICS.commandsDead.name} ${counters.dead}`,
    `${METRICS.commandsRepeated.name} ${counters.repeated}`,
    `${METRICS.commandsLost.name} ${counters.jumped}`,
    `${METRICS.applyMismatches.name} ${counters.mismatches}`,
    `${METRICS.partitionHolds.name} ${counters.held}`,
    `${METRICS.storeHeals.name} ${counters.heals}`,
    `${METRICS.partitionTakeovers.name} ${counters.takeovers}`,
    `${METRICS.logEntriesTrimmed.name} ${counters.trimmed}`,
    `${METRICS.logReconciliations.name} ${counters.reconciliations}`,
    `${METRICS.commandsMissedByLog.name} ${counters.missedByLog}`,
    `${METRICS.commandsReappended.name} ${counters.reappended}`,
    `${METRICS.logEntriesTrimmedEarly.name} ${counters.trimmedEarly}`,
    `${METRICS.partitionsOwned.name} ${workers.size}`,
    `${METRICS.jobsRunning.name} ${jobs.running}`,
  ];
  for (const [state, count] of counters.entered) {
    lines.push(`${METRICS.partitionStateEntered.name}{state="${state}"} ${count}`);
  }
  for (const [end, count] of jobs.ended) lines.push(`${METRICS.jobsEnded.name}{end="${end}"} ${count}`);
  for (const worker of workers.values()) {
    lines.push(`${METRICS.partitionState.name}{partition="${worker.partition}",state="${worker.word.state}"} 1`);
  }
  return `${lines.join("\n")}\n`;
}
