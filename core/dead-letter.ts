/**
 * A dead letter: a command that could not be applied, as it is kept in the store.
 */
import { decodeEntry, HEADER_FIELD } from "./codec.ts";
import type { Command } from "./command.ts";
import type { EntryId } from "./entry-id.ts";

export interface DeadLetter {
  /** Of the command that failed. */
  readonly id: EntryId;
  /** Why it failed first. */
  readonly reason: string;
  /** How often it was tried: once as itself, and once in each replay that failed too. */
  readonly attempts: number;
  /** The last replay that failed, if any. */
  readonly lastReplay: EntryId | null;
  /** Why it failed last. */
  readonly lastReason: string;
  /** The header as it stood in the log, whatever it was. */
  readonly header: string;
  /** Bytes of its value. */
  readonly bytes: number;
}

/** A page of a partition's dead letters, oldest first. */
export interface LetterPage {
  readonly letters: readonly DeadLetter[];
  /** Where the next page begins, or null at the end. */
  readonly next: EntryId | null;
  /** Where each letter of this page stands: a page that begins there begins after it. */
  readonly places: readonly EntryId[];
}

/** How many dead letters a partition has, and the bytes of their headers and values. */
export interface LetterCount {
  readonly letters: number;
  readonly bytes: number;
}

const BLOCKED_PATTERN = /^blocked by (\d+-\d+)$/;

/** The letter that a letter was parked behind, or null when it failed by itself. */
export function blockerOf({ reason }: DeadLetter): EntryId | null {
  return BLOCKED_PATTERN.exec(reason)?.[1] ?? null;
}

/**
 * The command in a dead letter.
 * @param value its bytes; null: they are left away, and values are empty
 * @returns null when it was never a command that this version can read: it cannot be replayed, only discarded
 */
export function commandOfLetter({ id, header }: DeadLetter, value: Uint8Array | null = null): Command | null {
  // The letter has no ordinal any more; the codec wants one.
  const fields = [HEADER_FIELD, `1 ${header}`, "b"].map((text) => Buffer.from(text));
  const entry = decodeEntry(id, [...fields, Buffer.from(value ?? "")], value === null);
  return entry.kind === "command" && !entry.command.replays && entry.command.operation.op !== "discard"
    ? entry.command
    : null;
}
