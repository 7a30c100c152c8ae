/**
 * How a value stands in the store: one line of attributes, then the value's bytes as they came.
 *
 * `<entry id of the revision> TAB <content type> [TAB e<expiry, ms>] [TAB m<metadata, JSON in ASCII>] LF <bytes>`. A later
 * version may add attributes; readers skip what they do not know. The apply function writes and reads the same line.
 */
import type { EntryId } from "./entry-id.ts";

const TAB = 9;
const LINE_FEED = 10;

export interface StoredValue {
  readonly id: EntryId;
  readonly contentType: string;
  readonly value: Uint8Array;
  /** Milliseconds since the epoch. Absent: it does not expire. */
  readonly expiresMs?: number;
  /** JSON in ASCII. */
  readonly metadata?: string;
}

/** Is it there, for who looks at this time? One that has expired stays in the store until the log has removed it. */
export function isLive({ expiresMs }: Pick<StoredValue, "expiresMs">, nowMs: number): boolean {
  return expiresMs === undefined || expiresMs > nowMs;
}

/** @throws Error when the bytes are not a stored value: something else wrote to the store */
export function decodeStoredValue(bytes: Buffer): StoredValue {
  const end = bytes.indexOf(LINE_FEED);
  const tab = bytes.indexOf(TAB);
  if (end < 0 || tab < 0 || tab > end) throw new Error("a stored value has no attribute line");
  const next = bytes.indexOf(TAB, tab + 1);
  const contentTypeEnd = next < 0 || next > end ? end : next;
  const id = bytes.toString("latin1", 0, tab);
  const contentType = bytes.toString("latin1", tab + 1, contentTypeEnd);
  const value = bytes.subarray(end + 1);
  if (contentTypeEnd === end) return { id, contentType, value };
  return { id, contentType, value, ...parseAttributes(bytes.toString("latin1", contentTypeEnd + 1, end)) };
}

function parseAttributes(text: string): Pick<StoredValue, "expiresMs" | "metadata"> {
  const found: { expiresMs?: number; metadata?: string } = {};
  for (const attribute of text.split("\t")) {
    if (attribute.startsWith("e")) found.expiresMs = Number(attribute.slice(1));
    else if (attribute.startsWith("m")) found.metadata = attribute.slice(1);
  }
  return found;
}
