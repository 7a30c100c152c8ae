/**
 * Conditional requests (RFC 9110, section 13). Pure.
 */
import type { Condition } from "../core/command.ts";
import { compareIds, type EntryId, parseRevision } from "../core/entry-id.ts";
import { MIN_REVISIONS_MAX } from "../core/limits.ts";
import { ProblemError } from "./errors.ts";
import type { Incoming } from "./exchange.ts";

/** What a write's preconditions come to: none, one for the log to carry, or one that can never be met. */
export type WritePrecondition = { readonly condition?: Condition; readonly impossible: boolean };

const NONE: WritePrecondition = { impossible: false };

/**
 * If-Match and If-None-Match of a write: `*` or one revision each, judged when the command is applied.
 * A revision of another partition is not this key's and never will be.
 * @throws ProblemError when the header is a list, a weak tag, or no revision
 */
export function parseWritePrecondition(
  incoming: Pick<Incoming, "header">,
  partition: number,
  partitions: number,
): WritePrecondition {
  const match = incoming.header("if-match");
  const noneMatch = incoming.header("if-none-match");
  if (match === null && noneMatch === null) return NONE;
  if (match !== null && noneMatch !== null) {
    throw new ProblemError("invalid-precondition", "Give If-Match or If-None-Match, not both.");
  }
  const kind = match !== null ? "match" : "none-match";
  const text = (match ?? noneMatch ?? "").trim();
  if (text === "*") return { condition: { kind, id: "*" }, impossible: false };
  const revision = /^"([^"]*)"$/.exec(text)?.[1];
  const parsed = revision === undefined ? null : parseRevision(revision, partitions);
  if (parsed === null) {
    throw new ProblemError("invalid-precondition", "Expected * or one revision in double quotes, as ETag gives it.");
  }
  if (parsed.partition !== partition) return kind === "match" ? { impossible: true } : NONE;
  return { condition: { kind, id: parsed.id }, impossible: false };
}

/** If-None-Match of a read: weak comparison, lists allowed (RFC 9110, 13.1.2). */
export function isNotModified(header: string | null, etag: string): boolean {
  if (header === null) return false;
  return header.split(",").some((part) => {
    const tag = part.trim();
    return tag === "*" || tag === etag || tag === `W/${etag}`;
  });
}

/**
 * Millrace-Min-Revision: one or more revisions; the newest of this partition counts, those of others say nothing here.
 * @throws ProblemError when one is no revision
 */
export function parseMinRevision(header: string | null, partition: number, partitions: number): EntryId | null {
  return header === null ? null : (parseMinRevisions(header, partitions).get(partition) ?? null);
}

/**
 * The newest revision of each partition in Millrace-Min-Revision.
 * @throws ProblemError when one is no revision
 */
export function parseMinRevisions(header: string | null, partitions: number): ReadonlyMap<number, EntryId> {
  const newest = new Map<number, EntryId>();
  if (header === null) return newest;
  const parts = header.split(",");
  if (parts.length > MIN_REVISIONS_MAX)
    throw new ProblemError("invalid-revision", `At most ${MIN_REVISIONS_MAX} revisions.`);
  for (const part of parts) {
    const revision = parseRevision(part.trim().replace(/^"(.*)"$/, "$1"), partitions);
    if (revision === null)
      throw new ProblemError("invalid-revision", "Millrace-Min-Revision takes revisions, separated by commas.");
    const { partition, id } = revision;
    const known = newest.get(partition);
    if (known === undefined || compareIds(id, known) > 0) newest.set(partition, id);
  }
  return newest;
}
