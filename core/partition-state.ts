/**
 * How a partition stands, judged from the positions of its log and its store. Pure: any process comes to the same verdict.
 *
 * `ok`          commands are applied as they come
 * `held`        a transient fault (a Redis is away, loading, full) stops it; it goes on by itself
 * `unconfirmed` the log's replicas do not hold what would be applied next; it goes on by itself
 * `lost-base`   the log no longer holds what the watermark needs next: trimmed, or the store came back empty or too old
 * `frozen`      the log went back: it does not know commands that the store has applied
 *
 * The last two never go on by themselves while the positions say so: going on would skip or overwrite in silence.
 */
import { compareIds } from "./entry-id.ts";
import type { LogPosition } from "./functions/append.ts";
import type { Watermark } from "./functions/apply.ts";

export type PartitionStateName = "ok" | "held" | "unconfirmed" | "lost-base" | "frozen";

export interface PartitionState {
  readonly state: PartitionStateName;
  /** Why, in a few words; empty when ok. */
  readonly reason: string;
}

export const STATE_OK: PartitionState = { state: "ok", reason: "" };

/** A partition that stands still until an operator, or a repaired Redis, moves it on. */
export function isHalted(state: PartitionState): boolean {
  return state.state === "lost-base" || state.state === "frozen";
}

/** May a store at this watermark go on with a log at this position? */
export function examine(log: LogPosition, watermark: Watermark): PartitionState {
  if (watermark.ordinal > log.ordinal) {
    return {
      state: "frozen",
      reason: `the log counts ${log.ordinal} commands, the store has applied ${watermark.ordinal}`,
    };
  }
  if (compareIds(watermark.id, log.floor) < 0) {
    return { state: "lost-base", reason: `the log is trimmed up to ${log.floor}, the store is at ${watermark.id}` };
  }
  if (log.held === 0 && log.ordinal > watermark.ordinal) {
    return {
      state: "lost-base",
      reason: `the log is empty, the store lacks ${log.ordinal - watermark.ordinal} commands`,
    };
  }
  return STATE_OK;
}

/** Commands accepted and not yet applied. */
export function backlogOf(log: LogPosition, watermark: Watermark): number {
  return Math.max(0, log.ordinal - watermark.ordinal);
}
