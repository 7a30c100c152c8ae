/**
 * How a partition stands, judged from the positions of its log and its store. Pure: any process comes to the same verdict.
 *
 * `ok`          commands are applied as they come
 * `held`        a transient fault (a Redis is away, loading, full) stops it; it goes on by itself
 * `unconfirmed` the log's replicas do not hold what would be applied next; it goes on by itself
 * `recovering`  the store went back, and the log is replayed to it; it is not yet where it was before
 * `frozen`      the log went back: it does not know commands that the store has applied; its owner brings it into line
 * `lost-base`   the log no longer holds what the watermark needs next: trimmed, or the store came back empty or too old
 * `stopped`     an operator has it stop at a point in time: what was accepted later waits in the log
 *
 * The last three are halts: nothing is written and nothing applied, because going on would skip or overwrite in silence. Only
 * an operator's word moves a partition on from `lost-base` and `stopped`.
 */
import { compareIds } from "./entry-id.ts";
import type { LogPosition } from "./functions/append.ts";
import { formatWatermark, parseWatermark, type Watermark } from "./functions/apply.ts";

export const PARTITION_STATES = ["ok", "held", "unconfirmed", "recovering", "frozen", "lost-base", "stopped"] as const;

export type PartitionStateName = (typeof PARTITION_STATES)[number];

export interface PartitionState {
  readonly state: PartitionStateName;
  /** Why, in a few words; empty when ok. */
  readonly reason: string;
}

export const STATE_OK: PartitionState = { state: "ok", reason: "" };

/** A partition that stands still until its owner or an operator moves it on. */
export function isHalted({ state }: PartitionState): boolean {
  return state === "lost-base" || state === "frozen" || state === "stopped";
}

/** May a store at this watermark go on with a log at this position? */
export function examine(log: LogPosition, watermark: Watermark): PartitionState {
  if (log.fenced) return { state: "frozen", reason: "the log is being brought into line with the store" };
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

/** How many partitions are in each state; states that none is in are left out. */
export function countStates(states: Iterable<PartitionState>): Partial<Record<PartitionStateName, number>> {
  const counts: Partial<Record<PartitionStateName, number>> = {};
  for (const { state } of states) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** What an owner tells of its partition. */
export interface OwnerWord extends PartitionState {
  /** The highest watermark that it, or an owner before it, has reached: what clients may have seen. */
  readonly reached: Watermark | null;
}

export function formatOwnerWord({ state, reason, reached }: OwnerWord): string {
  return JSON.stringify({ state, reason, ...(reached && { reached: formatWatermark(reached) }) });
}

/** @returns null when it is none of ours */
export function parseOwnerWord(text: string): OwnerWord | null {
  try {
    const { state, reason, reached } = JSON.parse(text) as Record<string, string>;
    const known = PARTITION_STATES.find((name) => name === state);
    if (known === undefined) return null;
    return { state: known, reason: reason ?? "", reached: reached === undefined ? null : parseWatermark(reached) };
  } catch {
    return null;
  }
}
