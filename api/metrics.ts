/**
 * The api's metrics page, in Prometheus' text format.
 */
import type { LetterCount } from "../core/dead-letter.ts";
import type { PartitionStateName } from "../core/partition-state.ts";
import { METRICS } from "../core/telemetry.ts";
import type { HttpCounts } from "./http-counts.ts";
import type { PartitionReport } from "./partition-monitor.ts";

/** @param shared lines that the consumer tells too */
export function renderMetrics(
  counts: HttpCounts,
  waiting: number,
  partitions: readonly PartitionReport[],
  letters: readonly LetterCount[],
  entered: ReadonlyMap<PartitionStateName, number>,
  shared: readonly string[],
): string {
  const lines = [...shared, `${METRICS.waiters} ${waiting}`];
  for (const { route, status, count } of counts) {
    lines.push(`${METRICS.httpRequests}{route="${route}",status="${status}"} ${count}`);
  }
  for (const { partition, backlog, state } of partitions) {
    lines.push(`${METRICS.partitionBacklog}{partition="${partition}"} ${backlog}`);
    lines.push(`${METRICS.partitionState}{partition="${partition}",state="${state}"} 1`);
  }
  for (const [partition, count] of letters.entries()) {
    lines.push(`${METRICS.deadLetters}{partition="${partition}"} ${count.letters}`);
    lines.push(`${METRICS.deadLetterBytes}{partition="${partition}"} ${count.bytes}`);
  }
  for (const [state, count] of entered) lines.push(`${METRICS.partitionStateEntered}{state="${state}"} ${count}`);
  return `${lines.join("\n")}\n`;
}
