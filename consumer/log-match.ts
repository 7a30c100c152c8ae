/**
 * Does the log still hold the history that the store has applied? As in Raft, where a follower takes entries only after one
 * that it has too (prevLogIndex, prevLogTerm): at the watermark's id the log must hold the entry with the watermark's ordinal.
 * Counts alone do not tell it: a log that went back and has grown since may count as far as the store.
 */
import { decodeEntry } from "../core/codec.ts";
import { compareIds, type EntryId, ID_ZERO } from "../core/entry-id.ts";
import type { LogPosition } from "../core/functions/append.ts";
import type { Watermark } from "../core/functions/apply.ts";
import type { Log, RawEntry } from "../core/log.ts";
import { examine, isHalted, type PartitionState, STATE_OK } from "../core/partition-state.ts";

/** 0 where the append function did not write the entry. */
export function ordinalOf([id, fields]: RawEntry): number {
  const entry = decodeEntry(id, fields);
  return entry.kind === "unsupported" ? 0 : entry.ordinal;
}

/**
 * @param first what a read from the watermark's id on begins with, that id included
 * @returns false: see {@link lookCloser}
 */
export function matches(first: RawEntry | undefined, { floor }: LogPosition, watermark: Watermark): boolean {
  if (watermark.id === ID_ZERO || compareIds(watermark.id, floor) <= 0) return true;
  if (first === undefined || first[0] !== watermark.id) return false;
  const ordinal = ordinalOf(first);
  return ordinal === watermark.ordinal || ordinal === 0;
}

/** The entry at the watermark seems not to be what it was. Afresh: it may just have been trimmed. */
export async function lookCloser(log: Log, partition: number, watermark: Watermark): Promise<PartitionState> {
  const position = await log.confirmedPosition(partition);
  const verdict = examine(position, watermark);
  const [first] = await log.between(partition, watermark.id, "+", 1);
  if (isHalted(verdict) || matches(first, position, watermark)) return verdict;
  let from = first;
  while (from !== undefined && ordinalOf(from) === 0) from = (await log.between(partition, from[0], "+", 2))[1];
  let before = await log.before(partition, watermark.id);
  while (before !== undefined && ordinalOf(before) === 0) before = await log.before(partition, before[0]);
  return judgeMismatch(before, from, position, watermark);
}

/**
 * Pure. The entry at the watermark is not what it was. Another history (frozen), a hole that the store needs (lost-base), or was
 * only that entry removed?
 * @param before the newest counted entry below the watermark's id
 * @param from   the oldest counted entry at that id or above it
 */
export function judgeMismatch(
  before: RawEntry | undefined,
  from: RawEntry | undefined,
  log: LogPosition,
  { id, ordinal }: Watermark,
): PartitionState {
  const below = before === undefined ? 0 : ordinalOf(before);
  const above = from === undefined ? log.ordinal + 1 : ordinalOf(from);
  if (below >= ordinal || above <= ordinal) {
    const other = below >= ordinal ? before : from;
    const found = other ? `command ${ordinalOf(other)} at ${other[0]}` : "nothing";
    return { state: "frozen", reason: `another history: command ${ordinal} was at ${id}, the log holds ${found}` };
  }
  if (above === ordinal + 1) return STATE_OK;
  return { state: "lost-base", reason: `the log lacks ${above - ordinal - 1} commands after ${id}` };
}

export function missing(count: number, watermark: Watermark): PartitionState {
  return { state: "lost-base", reason: `the log lacks ${count} commands after ${watermark.id}` };
}

/** The log's own chain of ordinals does not go on from the watermark. */
export function broken(id: EntryId, ordinal: number, watermark: Watermark): PartitionState {
  const reason = `after command ${watermark.ordinal} the log goes on with ${ordinal} at ${id}`;
  return { state: ordinal <= watermark.ordinal ? "frozen" : "lost-base", reason };
}

/** What was applied once is in neither of the two any more. */
export function lostByBoth(watermark: Watermark, reached: Watermark): PartitionState {
  const reason = `neither log nor store holds commands ${watermark.ordinal + 1} to ${reached.ordinal}, which were applied`;
  return { state: "lost-base", reason };
}
