/**
 * Stream entry ids, and the revisions made of them.
 *
 * An entry id is Redis' `<milliseconds>-<sequence>`; both parts are unsigned 64-bit in Redis and stay far below 2^53
 * here, so they are compared as numbers. A revision is `<partition>-<milliseconds>-<sequence>`: the id of the command
 * that last changed a key, told to clients as ETag, command id and read-your-writes token.
 */

export type EntryId = string;

/** The id below every entry: the watermark of a partition to which nothing has been applied. */
export const ID_ZERO: EntryId = "0-0";

export interface Revision {
  readonly partition: number;
  readonly id: EntryId;
}

const REVISION_PATTERN = /^(\d{2,4})-((?:0|[1-9]\d{0,15})-(?:0|[1-9]\d{0,15}))$/;

/** Negative when `a` is older than `b`, 0 when they are the same entry, positive when `a` is newer. */
export function compareIds(a: EntryId, b: EntryId): number {
  const dashA = a.indexOf("-");
  const dashB = b.indexOf("-");
  const byTime = Number(a.slice(0, dashA)) - Number(b.slice(0, dashB));
  return byTime !== 0 ? byTime : Number(a.slice(dashA + 1)) - Number(b.slice(dashB + 1));
}

/** The wall-clock milliseconds in an entry id: when the log's Redis took the command. */
export function idTimeMs(id: EntryId): number {
  return Number(id.slice(0, id.indexOf("-")));
}

/** The id that comes `offset` entries after `first` in one append call: same millisecond, consecutive sequence. */
export function idAfter(first: EntryId, offset: number): EntryId {
  const dash = first.indexOf("-");
  return `${first.slice(0, dash)}-${Number(first.slice(dash + 1)) + offset}`;
}

/** Any sequence within one millisecond is below this. */
const SEQUENCE_END = 999_999_999_999_999;

/** An id below this one, and above every entry before it. */
export function idBefore(id: EntryId): EntryId {
  const dash = id.indexOf("-");
  const sequence = Number(id.slice(dash + 1));
  return sequence > 0 ? `${id.slice(0, dash)}-${sequence - 1}` : `${Number(id.slice(0, dash)) - 1}-${SEQUENCE_END}`;
}

export function formatRevision(partition: number, id: EntryId): string {
  return `${String(partition).padStart(2, "0")}-${id}`;
}

/** @returns null when the text is not a revision, or names a partition that does not exist */
export function parseRevision(text: string, partitions: number): Revision | null {
  const match = REVISION_PATTERN.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  const partition = Number(match[1]);
  if (partition >= partitions || formatRevision(partition, match[2]) !== text) return null;
  return { partition, id: match[2] };
}
