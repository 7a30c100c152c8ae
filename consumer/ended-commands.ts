/**
 * Tells of the commands that did not do what they were to: each dead one, for somebody has to look at it, and at debug
 * each rejected one. Where a batch has many, the store names the first of them and the rest is counted.
 */
import type { Logger } from "pino";
import { formatRevision } from "../core/entry-id.ts";
import type { ApplicableEntry, ApplyReply } from "../core/functions/apply.ts";
import { traceFields } from "../core/trace-context.ts";

export function tellEnded(
  logger: Logger,
  partition: number,
  entries: readonly ApplicableEntry[],
  { dead, ended }: Pick<Extract<ApplyReply, { kind: "applied" }>, "dead" | "ended">,
): void {
  if (dead === 0 && !logger.isLevelEnabled("debug")) return;
  let told = 0;
  for (const { id, result } of ended) {
    const entry = entries.find((each) => each.id === id);
    const traceparent = entry?.kind === "command" ? entry.command.traceparent : undefined;
    const line = { partition, id: formatRevision(partition, id), ...traceFields(traceparent) };
    if (result.outcome === "dead") {
      told += 1;
      logger.warn({ ...line, reason: result.reason }, "command is dead");
    } else if (result.outcome === "rejected") logger.debug({ ...line, reason: result.reason }, "command rejected");
  }
  if (dead > told) logger.warn({ partition, dead: dead - told }, "more commands of the same batch are dead");
}
