/**
 * How a value stands in the store: one line of attributes, then the value's bytes as they came.
 *
 * `<entry id of the revision> TAB <content type> LF <bytes>`. A later version may add attributes after the content type;
 * readers skip what they do not know. The apply function writes and reads the same line.
 */
import type { EntryId } from "./entry-id.ts";

const TAB = 9;
const LINE_FEED = 10;

export interface StoredValue {
  readonly id: EntryId;
  readonly contentType: string;
  readonly value: Uint8Array;
}

/** @throws Error when the bytes are not a stored value: something else wrote to the store */
export function decodeStoredValue(bytes: Buffer): StoredValue {
  const end = bytes.indexOf(LINE_FEED);
  const tab = bytes.indexOf(TAB);
  if (end < 0 || tab < 0 || tab > end) throw new Error("a stored value has no attribute line");
  const next = bytes.indexOf(TAB, tab + 1);
  const contentTypeEnd = next < 0 || next > end ? end : next;
  return {
    id: bytes.toString("latin1", 0, tab),
    contentType: bytes.toString("latin1", tab + 1, contentTypeEnd),
    value: bytes.subarray(end + 1),
  };
}
