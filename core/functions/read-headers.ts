/**
 * Typed wrapper of the log's function read_headers. See read-headers.lua for what it answers.
 */
import { decodeEntry, type Entry, HEADER_FIELD } from "../codec.ts";
import type { EntryId } from "../entry-id.ts";
import type { PartitionKeys } from "../keys.ts";
import type { Call } from "../redis/link.ts";
import type { Library } from "./library.ts";
import { parseReconciliation, type Reconciliation } from "./reconcile.ts";

/** Entries after one id up to another, both of which exist or existed. */
export interface HeaderRange {
  readonly after: EntryId;
  readonly to: EntryId;
  /** Where the store stands: at `to` or behind it. */
  readonly watermark: EntryId;
  readonly entries: number;
  /** Bytes of whole entries to look at. */
  readonly bytes: number;
}

export interface HeaderPage {
  /** Every entry up to this id may have been trimmed. */
  readonly floor: EntryId;
  /** How often the log was brought into line with its store. */
  readonly era: number;
  /** It is being brought into line now. */
  readonly fenced: boolean;
  readonly reconciled: Reconciliation | null;
  /** The entry at `after`, and that at the watermark; null: the log holds none. */
  readonly before: Entry | null;
  readonly atWatermark: Entry | null;
  /** The page ends before `to`. */
  readonly partial: boolean;
  /** In order. Their values are empty. */
  readonly entries: readonly Entry[];
}

const NOTHING = Buffer.alloc(0);
const [V1, B] = [Buffer.from(HEADER_FIELD), Buffer.from("b")];
const VERSION_PATTERN = /^v\d+$/;
const VERSION_MAX_CHARS = 20;
const FIRST_ENTRY = 7;

export function readHeadersCall(library: Library, keys: PartitionKeys, range: HeaderRange): Call {
  const { after, to, watermark, entries, bytes } = range;
  return {
    name: "FCALL_RO",
    args: [library.call("read_headers"), 2, keys.log, keys.appends, after, to, watermark, entries, bytes],
  };
}

/** @param range what was asked for */
export function parseHeaderPage(reply: unknown, range: HeaderRange): HeaderPage {
  const rows = reply as (Buffer | number)[];
  const [floor, era, fenced, reconciled, atAfter, atWatermark, partial] = rows;
  const entries: Entry[] = [];
  for (let at = FIRST_ENTRY; at + 1 < rows.length; at += 2) {
    const entry = entryOf(String(rows[at]), rows[at + 1] as Buffer);
    if (entry) entries.push(entry);
  }
  return {
    floor: String(floor),
    era: Number(String(era)),
    fenced: fenced === 1,
    reconciled: parseReconciliation(String(reconciled) || null),
    before: entryOf(range.after, atAfter as Buffer),
    atWatermark: entryOf(range.watermark, atWatermark as Buffer),
    partial: partial === 1,
    entries,
  };
}

/** The id of a page's first entry, whatever stands there; null: the page is empty. */
export function parseFirstId(reply: unknown): EntryId | null {
  const id = (reply as (Buffer | number)[])[FIRST_ENTRY];
  return id === undefined ? null : String(id);
}

function entryOf(id: EntryId, line: Buffer): Entry | null {
  if (line.byteLength === 0) return null;
  const version = VERSION_PATTERN.exec(line.toString("latin1", 0, VERSION_MAX_CHARS))?.[0];
  const fields = version === undefined ? [V1, line, B, NOTHING] : [Buffer.from(version), NOTHING, B, NOTHING];
  return decodeEntry(id, fields, true);
}
