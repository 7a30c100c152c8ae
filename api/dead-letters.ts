/**
 * Which dead letters a request means: its filter, and where it goes on; and how a letter is told.
 */
import { decodeBase64Url, encodeBase64Url } from "../core/base64.ts";
import type { Command } from "../core/command.ts";
import { blockerOf, commandOfLetter, type DeadLetter, type LetterCount } from "../core/dead-letter.ts";
import { type EntryId, formatRevision, idTimeMs, parseRevision, type Revision } from "../core/entry-id.ts";
import { LETTERS_SCAN_MAX } from "../core/limits.ts";
import { partitionOf } from "../core/partition.ts";
import { traceIdOf } from "../core/trace-context.ts";
import { keysOf } from "../core/transaction.ts";
import type { AppDependencies } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import type { LetterFilter } from "./letter-schemas.ts";
import { tellKeys, tellParts } from "./transaction-answer.ts";

export const LETTERS_PATH = "/v1/dead-letters";
export const LETTERS_PREFIX = `${LETTERS_PATH}/`;

/** Parameters that say which letters are meant. */
const FILTERS = ["namespace", "key", "prefix", "reason", "partition", "since", "until"] as const;

/** Entries in one look at a partition. */
const PAGE = 250;
const ISO_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** A letter of some partition, with the command in it where there is one. */
export interface Located {
  readonly partition: number;
  readonly letter: DeadLetter;
  /** Without its value. */
  readonly command: Command | null;
  /** Where to go on after it. */
  readonly place: Revision;
}

export interface Selection {
  readonly partition: number | null;
  readonly limit: number;
  /** After it; null: from the start. */
  readonly cursor: Revision | null;
  readonly sinceMs: number;
  /** Nothing is left out but by limit and cursor. */
  readonly everything: boolean;
  readonly matches: (letter: DeadLetter, command: Command | null) => boolean;
}

/** @throws ProblemError `invalid-parameter` where it means nothing in this installation */
export function selectLetters(filter: LetterFilter, partitions: number): Selection {
  const { namespace, key, prefix, reason, partition: asked, cursor } = filter;
  const sinceMs = parseTime("since", filter.since, partitions) ?? 0;
  const untilMs = parseTime("until", filter.until, partitions) ?? Number.POSITIVE_INFINITY;
  if (asked !== undefined && asked >= partitions) throw invalid(`partition is a number from 0 to ${partitions - 1}.`);
  const home = namespace !== undefined && key !== undefined ? partitionOf(namespace, key, partitions) : null;
  return {
    // A key of a namespace is nowhere else.
    partition: asked ?? home,
    limit: filter.limit,
    cursor: cursor === undefined ? null : parseCursor(cursor, partitions),
    sinceMs,
    everything: FILTERS.every((name) => filter[name] === undefined),
    matches: (letter, command) => {
      const ms = idTimeMs(letter.id);
      return (
        (namespace === undefined || command?.namespace === namespace) &&
        (key === undefined || keysIn(command).includes(key)) &&
        (prefix === undefined || keysIn(command).some((one) => one.startsWith(prefix))) &&
        (reason === undefined || letter.reason.includes(reason) || letter.lastReason.includes(reason)) &&
        ms >= sinceMs &&
        ms < untilMs
      );
    },
  };
}

/** What a letter is found by: its key, or all that a transaction names. */
function keysIn(command: Command | null): readonly string[] {
  return command ? keysOf(command) : [];
}

export interface Found {
  readonly letters: readonly Located[];
  readonly counts: readonly LetterCount[];
  /** Where to go on; null when all were looked at. */
  readonly next: Revision | null;
}

/**
 * Looks for letters, partition after partition, oldest first.
 * @param maxBytes of values, of all letters found together; one more than that still goes alone
 */
export async function findLetters(deps: AppDependencies, selection: Selection, maxBytes: number): Promise<Found> {
  const counts = await deps.store.letterCounts();
  const letters: Located[] = [];
  let scanned = 0;
  let bytes = 0;
  const first = selection.cursor?.partition ?? 0;
  for (let partition = first; partition < deps.partitions; partition += 1) {
    if (selection.partition !== null && selection.partition !== partition) continue;
    if (counts[partition]?.letters === 0) continue;
    let after: EntryId | null =
      selection.cursor?.partition === partition ? selection.cursor.id : idBefore(selection.sinceMs);
    while (after !== null) {
      if (scanned >= LETTERS_SCAN_MAX) return { letters, counts, next: { partition, id: after } };
      const page = await deps.store.letters(partition, after, PAGE);
      scanned += page.letters.length + 1;
      for (const [index, letter] of page.letters.entries()) {
        const command = commandOfLetter(letter);
        if (!selection.matches(letter, command)) continue;
        if (letters.length > 0 && (letters.length === selection.limit || bytes + letter.bytes > maxBytes)) {
          return { letters, counts, next: letters.at(-1)?.place ?? null };
        }
        bytes += letter.bytes;
        letters.push({ partition, letter, command, place: { partition, id: page.places[index] ?? letter.id } });
      }
      after = page.next;
    }
  }
  return { letters, counts, next: null };
}

/** What a cursor says is nobody's business: it may change. */
export function formatCursor(next: Revision | null): string | null {
  return next && encodeBase64Url(formatRevision(next.partition, next.id));
}

/** A letter as it is told, without its value. */
export function describeLetter({ partition, letter, command }: Omit<Located, "place">): Record<string, unknown> {
  const blocker = blockerOf(letter);
  return {
    id: formatRevision(partition, letter.id),
    partition,
    reason: letter.reason,
    lastReason: letter.lastReason,
    attempts: letter.attempts,
    ...(letter.lastReplay !== null && { lastReplay: formatRevision(partition, letter.lastReplay) }),
    ...(blocker !== null && { blockedBy: formatRevision(partition, blocker) }),
    ...(command ? describeCommand(partition, command) : { header: letter.header }),
    bytes: letter.bytes,
  };
}

function describeCommand(partition: number, command: Command): Record<string, unknown> {
  const { namespace, operation, condition, acceptedMs, traceparent } = command;
  const id = condition && (condition.id === "*" ? "*" : formatRevision(partition, condition.id));
  return {
    namespace,
    ...tellKeys(command),
    operation: operation.op,
    ...(operation.op === "txn" && tellParts(partition, operation)),
    ...(operation.op === "put" && { contentType: operation.contentType }),
    ...(operation.op === "increment" && { by: operation.by }),
    ...(condition && { condition: { [condition.kind === "match" ? "ifMatch" : "ifNoneMatch"]: id } }),
    acceptedAt: new Date(acceptedMs).toISOString(),
    traceId: traceIdOf(traceparent),
  };
}

/** `since` and `until`: the time of a revision, or an ISO time. */
function parseTime(name: string, text: string | undefined, partitions: number): number | null {
  if (text === undefined) return null;
  const revision = parseRevision(text, partitions);
  const ms = revision ? idTimeMs(revision.id) : ISO_TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(`${name} takes a revision, or a time as 2026-01-31T12:00:00Z.`);
  return Math.max(0, ms);
}

function parseCursor(text: string, partitions: number): Revision {
  const revision = parseRevision(decodeBase64Url(text)?.toString() ?? "", partitions);
  if (revision === null) throw invalid("cursor is not one that an answer gave.");
  return revision;
}

function idBefore(ms: number): EntryId {
  return ms === 0 ? "0-0" : `${ms - 1}-${Number.MAX_SAFE_INTEGER}`;
}

function invalid(detail: string): ProblemError {
  return new ProblemError("invalid-parameter", detail);
}
