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
  const revision = text === "*" ? text : /^"([^"]*)"$/.exec(text)?.[1];
  const precondition = revision === undefined ? null : preconditionOf(kind, revision, partition, partitions);
  if (precondition !== null) return precondition;
  throw new ProblemError("invalid-precondition", "Expected * or one revision in double quotes, as ETag gives it.");
}

/**
 * A condition on the present revision, as {@link parseWritePrecondition} reads it.
 * @param revision without quotes, or `*`
 * @returns null when it is neither
 */
export function preconditionOf(
  kind: Condition["kind"],
  revision: string,
  partition: number,
  partitions: number,
): WritePrecondition | null {
  if (revision === "*") return { condition: { kind, id: "*" }, impossible: false };
  const parsed = parseRevision(revision, partitions);
  if (parsed === null) return null;
  if (parsed.partition !== partition) return kind === "match" ? { impossible: true } : NONE;
  return { condition: { kind, id: parsed.id }, impossible: false };
}

/** Of a transaction, which has its conditions in what is sent. @throws ProblemError `invalid-precondition` */
export function refusePrecondition(incoming: Pick<Incoming, "header">): WritePrecondition {
  if (incoming.header("if-match") === null && incoming.header("if-none-match") === null) return NONE;
  throw new ProblemError("invalid-precondition", "A transaction has its conditions in `if`.");
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
