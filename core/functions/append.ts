/**
 * Typed wrapper of the log's functions append, position and trim. See append.lua for what they guarantee.
 */
import { ReplyError } from "ioredis";
import { bodyOf, encodeHeader, type ProducerStamp } from "../codec.ts";
import type { Command } from "../command.ts";
import type { EntryId } from "../entry-id.ts";
import type { PartitionKeys } from "../keys.ts";
import type { Call } from "../redis/link.ts";
import type { Library } from "./library.ts";
import { parseReconciliation, type Reconciliation } from "./reconcile.ts";

/** Commands of one producer for one partition, appended in one call and resent only whole. */
export interface Group {
  readonly producer: string;
  /** Sequence of the first command; the others follow without a gap. */
  readonly firstSequence: number;
  /** In the first group under a new name: the name before, and the last sequence that was acknowledged under it. */
  readonly predecessor?: ProducerStamp;
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
  /** How often the log was brought into line with its store. */
  readonly era: number;
  /** It is being brought into line now: no appends. */
  readonly fenced: boolean;
  /** What that came to the last time. */
  readonly reconciled: Reconciliation | null;
}

/** One call for groups of several partitions: of those whose logs are on one node. */
export function appendCall(library: Library, groups: readonly (readonly [PartitionKeys, Group])[]): Call {
  const keys: string[] = [];
  const args: (string | Uint8Array)[] = [];
  for (const [{ log, appends }, { producer, firstSequence, commands, predecessor }] of groups) {
    keys.push(log, appends);
    args.push(`${producer} ${firstSequence} ${commands.length}`);
    args.push(
      commands
        .map((command, index) =>
          encodeHeader(command, producer, firstSequence + index, index === 0 ? predecessor : undefined),
        )
        .join("\n"),
    );
    for (const command of commands) args.push(bodyOf(command));
  }
  return { name: "FCALL", args: [library.call("append"), keys.length, ...keys, ...args] };
}

/** @returns what became of each group: where it is, or Redis' refusal (then nothing of it was written) */
export function parseAppended(reply: unknown): (Appended | Error)[] {
  return (reply as (Buffer | [Buffer, number, number])[]).map((group) => {
    if (!Array.isArray(group)) return new ReplyError(String(group));
    const [firstId, firstOrdinal, repeated] = group;
    return { firstId: String(firstId), firstOrdinal: Number(firstOrdinal), repeated: Number(repeated) === 1 };
  });
}

export function positionCall(library: Library, keys: PartitionKeys): Call {
  return { name: "FCALL_RO", args: [library.call("position"), 2, keys.log, keys.appends] };
}

export function parsePosition(reply: unknown): LogPosition {
  const [lastId, ordinal, floor, held, era, fence = null, reconciled = null] = reply as (Buffer | number | null)[];
  return {
    lastId: String(lastId),
    ordinal: Number(String(ordinal)),
    floor: String(floor),
    held: Number(held),
    era: Number(String(era)),
    fenced: fence !== null,
    reconciled: parseReconciliation(reconciled === null ? null : String(reconciled)),
  };
}

export function trimCall(library: Library, keys: PartitionKeys, upTo: EntryId): Call {
  return { name: "FCALL", args: [library.call("trim"), 2, keys.log, keys.appends, upTo] };
}
