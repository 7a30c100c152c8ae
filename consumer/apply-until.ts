/**
 * Stopping at a point in time: a store that was restored from a snapshot is brought up to what was accepted until then, and
 * no further. Pure.
 *
 * A command's time is the time in its id, the log's own when it took the command: it never goes back within a partition, so
 * what is applied is a beginning of the log and nothing is left out of it.
 */
import { idTimeMs } from "../core/entry-id.ts";
import type { Watermark } from "../core/functions/apply.ts";
import type { PartitionState } from "../core/partition-state.ts";

/** The state of a partition that has applied all that it may. @param waiting commands in the log that it may not apply */
export function stoppedAt(untilMs: number, waiting: number, watermark: Watermark): PartitionState {
  const until = new Date(untilMs).toISOString();
  const reason = `what was accepted after ${until} is not applied (MILLRACE_APPLY_UNTIL): ${waiting} commands`;
  if (idTimeMs(watermark.id) <= untilMs) return { state: "stopped", reason };
  const beyond = `the store stands at ${new Date(idTimeMs(watermark.id)).toISOString()} already`;
  return { state: "stopped", reason: `${reason}; ${beyond}` };
}
