/**
 * Typed wrappers of the store's functions that read dead letters. See dead-letter-reads.lua for what they answer.
 */
import type { Command, Result } from "../command.ts";
import type { DeadLetter, LetterPage } from "../dead-letter.ts";
import type { EntryId } from "../entry-id.ts";
import type { PartitionKeys } from "../keys.ts";
import { encodeCondition } from "../operation-codec.ts";
import type { Call } from "../redis/link.ts";
import { keysOf } from "../transaction.ts";
import { letterKeys, parseResult } from "./apply.ts";
import { argumentOf } from "./command-tuple.ts";
import type { Library } from "./library.ts";

/** A replay that was not done yet. */
export interface PlannedReplay {
  readonly letter: EntryId;
  readonly command: Command;
  readonly force: boolean;
}

/** A letter with its value; or that it is not there any more; or that nobody knows of it. */
export type FoundLetter = { readonly letter: DeadLetter; readonly value: Uint8Array } | "gone" | "none";

/** @param bounds entries and bytes of values to look at */
export function listLettersCall(
  library: Library,
  keys: PartitionKeys,
  after: EntryId,
  bounds: { readonly entries: number; readonly bytes: number },
): Call {
  return {
    name: "FCALL_RO",
    args: [library.call("list_letters"), 2, keys.dead, keys.letters, after, bounds.entries, bounds.bytes],
  };
}

export function parseLetterPage(reply: unknown): LetterPage {
  const [next, rows] = reply as [Buffer, [Buffer, Buffer, Buffer, number, Buffer, Buffer][]];
  return {
    letters: rows.map(([id, reason, header, bytes, state]) => letterOf(id, reason, header, bytes, state)),
    next: next.byteLength === 0 ? null : String(next),
    places: rows.map((row) => String(row[5])),
  };
}

export function readLetterCall(library: Library, keys: PartitionKeys, id: EntryId): Call {
  return { name: "FCALL_RO", args: [library.call("read_letter"), 3, keys.dead, keys.letters, keys.outcomes, id] };
}

export function parseFoundLetter(reply: unknown): FoundLetter {
  if (!Array.isArray(reply)) return String(reply) === "GONE" ? "gone" : "none";
  const [id, reason, header, value, state] = reply as [Buffer, Buffer, Buffer, Buffer, Buffer];
  return { letter: letterOf(id, reason, header, value.byteLength, state), value };
}

/** @param nowMs the time for which it is foreseen: what has expired by then is as if it were not there */
export function foreseeCall(
  library: Library,
  keys: PartitionKeys,
  replays: readonly PlannedReplay[],
  nowMs: number,
): Call {
  const own = letterKeys(keys);
  const values = replays.flatMap(({ command }) => keysOf(command).map((key) => keys.value(command.namespace, key)));
  const tuples = replays.map(({ letter, command, force }) => [
    letter,
    command.operation.op,
    argumentOf(command),
    command.condition ? encodeCondition(command.condition) : "",
    force ? 1 : 0,
  ]);
  return {
    name: "FCALL_RO",
    args: [
      library.call("foresee_replays"),
      own.length + values.length,
      ...own,
      ...values,
      JSON.stringify(tuples),
      nowMs,
    ],
  };
}

export function parseForeseen(reply: unknown): Result[] {
  return (reply as Buffer[]).map((text) =>
    String(text) === "applied" ? { outcome: "applied" } : parseResult(String(text)),
  );
}

function letterOf(id: Buffer, reason: Buffer, header: Buffer, bytes: number, state: Buffer): DeadLetter {
  const [, attempts, , , last, lastReason] = JSON.parse(String(state)) as [
    number,
    number,
    string,
    string,
    string,
    string,
  ];
  return {
    id: String(id),
    reason: String(reason),
    attempts,
    lastReplay: last === "" ? null : last,
    lastReason: last === "" ? String(reason) : lastReason,
    header: String(header),
    bytes,
  };
}
