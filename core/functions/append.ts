/**
 * Typed wrapper of the log's functions append, position and trim. See append.lua for what they guarantee.
 */
import { bodyOf, encodeHeader } from "../codec.ts";
import type { Command } from "../command.ts";
import type { EntryId } from "../entry-id.ts";
import type { PartitionKeys } from "../keys.ts";
import type { Call } from "../redis/link.ts";
import type { Library } from "./library.ts";

/** Commands of one producer for one partition, appended in one call and resent only whole. */
export interface Group {
  readonly producer: string;
  /** Sequence of the first command; the others follow without a gap. */
  readonly firstSequence: number;
  readonly commands: readonly Command[];
}

export interface Appended {
  readonly firstId: EntryId;
  readonly firstOrdinal: number;
  /** The log had this group already: its first reply was lost. */
  readonly repeated: boolean;
}

/** Where a partition's log stands. */
export interface LogPosition {
  readonly lastId: EntryId;
  /** Commands ever appended to the partition. */
  readonly ordinal: number;
  /** Every entry up to this id may have been trimmed. */
  readonly floor: EntryId;
  /** Entries the stream holds now. */
  readonly held: number;
}

export function appendCall(library: Library, keys: PartitionKeys, group: Group): Call {
  const args: (string | Uint8Array | number)[] = [
    library.call("append"),
    2,
    keys.log,
    keys.appends,
    group.producer,
    group.firstSequence,
    keys.appended,
  ];
  group.commands.forEach((command, index) => {
    args.push(encodeHeader(command, group.producer, group.firstSequence + index), bodyOf(command));
  });
  return { name: "FCALL", args };
}

export function parseAppended(reply: unknown): Appended {
  const [firstId, firstOrdinal, repeated] = reply as [Buffer, number, number];
  return { firstId: String(firstId), firstOrdinal: Number(firstOrdinal), repeated: Number(repeated) === 1 };
}

export function positionCall(library: Library, keys: PartitionKeys): Call {
  return { name: "FCALL", args: [library.call("position"), 2, keys.log, keys.appends] };
}

export function parsePosition(reply: unknown): LogPosition {
  const [lastId, ordinal, floor, held] = reply as [Buffer, Buffer, Buffer, number];
  return { lastId: String(lastId), ordinal: Number(String(ordinal)), floor: String(floor), held: Number(held) };
}

export function trimCall(library: Library, keys: PartitionKeys, upTo: EntryId): Call {
  return { name: "FCALL", args: [library.call("trim"), 2, keys.log, keys.appends, upTo] };
}
