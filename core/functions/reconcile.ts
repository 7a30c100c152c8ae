/**
 * Typed wrapper of the log's functions fence, move and unfence. See reconcile.lua for what they guarantee.
 */
import type { ProducerStamp } from "../codec.ts";
import type { EntryId } from "../entry-id.ts";
import type { PartitionKeys } from "../keys.ts";
import type { Call } from "../redis/link.ts";
import { parseWatermark, type Watermark } from "./apply.ts";
import type { Library } from "./library.ts";

/** A log that takes no appends while it is brought into line. */
export interface Fence {
  /** Names this fence: calls that belong to another one change nothing. */
  readonly era: number;
  /** The log's floor before: what is at or below it counts as gone, also where it is still there. */
  readonly start: EntryId;
  /** Entries up to and including this id are to be judged; those behind it have been moved there. */
  readonly boundary: EntryId;
}

/** An entry that goes to the log's end. */
export interface Move {
  readonly id: EntryId;
  /** Null for what is no command of ours. */
  readonly stamp: ProducerStamp | null;
}

/** What bringing a log into line came to. */
export interface Reconciliation {
  /** Where the store stood. */
  readonly watermark: Watermark;
  /** Commands that the store has applied and the log did not hold. They stay applied. */
  readonly lost: number;
  /** Commands that the store did not know: appended again. */
  readonly reappended: number;
  /** Entries that the store knew, out of place in the log: removed. */
  readonly dropped: number;
}

export function fenceCall(library: Library, keys: PartitionKeys, { id, ordinal }: Watermark, era: number): Call {
  return { name: "FCALL", args: [library.call("fence"), 2, keys.log, keys.appends, id, ordinal, era] };
}

export function parseFence(reply: unknown): Fence | null {
  if (reply === null) return null;
  const [era, start, boundary] = reply as [number, Buffer, Buffer];
  return { era, start: String(start), boundary: String(boundary) };
}

export function moveCall(
  library: Library,
  keys: PartitionKeys,
  { era }: Fence,
  moves: readonly Move[],
  drops: readonly EntryId[],
): Call {
  const lines = moves.map(({ id, stamp }) => (stamp === null ? id : `${id} ${stamp.producer} ${stamp.sequence}`));
  return {
    name: "FCALL",
    args: [library.call("move"), 2, keys.log, keys.appends, era, lines.length, ...lines, ...drops],
  };
}

export function unfenceCall(library: Library, keys: PartitionKeys, { era }: Fence): Call {
  return { name: "FCALL", args: [library.call("unfence"), 2, keys.log, keys.appends, era] };
}

/** @param record as unfence writes it, or null where no log was ever brought into line */
export function parseReconciliation(record: string | null): Reconciliation | null {
  if (record === null) return null;
  const [id = "", ordinal = "", lost, reappended, dropped] = record.split(" ");
  return {
    watermark: parseWatermark(`${id} ${ordinal}`),
    lost: Number(lost),
    reappended: Number(reappended),
    dropped: Number(dropped),
  };
}
