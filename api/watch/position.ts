/**
 * A position in the feed of several partitions, as it is told to clients. Pure.
 *
 * An opaque token: base64url of bytes, the first of which is the version. Then the latest time of all, and for each
 * partition, in order, how far before that it is, its sequence within the millisecond, and where they say something the era
 * and the place within the entry. Integers are in groups of seven bits, the lowest first (LEB128).
 */
import { decodeBase64Url, encodeBase64Url } from "../../core/base64.ts";
import { type EntryId, ID_ZERO } from "../../core/entry-id.ts";

/** How far a reader of one partition is. */
export interface Cursor {
  /** It has had every entry before this one, and this one too, as far as {@link place} says. */
  readonly id: EntryId;
  /** 0: all of the entry; else only so many of the changes it made. */
  readonly place: number;
  /** Of which history: how often the log was brought into line, and commands were given up. */
  readonly era: number;
  /** Ordinal of the entry, where it is known. It is not told: another process finds it in the log. */
  readonly ordinal?: number | undefined;
}

const VERSION = 1;
const GROUP = 128;
/** Beside the sequence: era and place follow. */
const HAS_ERA = 1;
const HAS_PLACE = 2;
const FLAGS = 4;

/** The ids of our log are below this in both parts, so that with the flags they are exact. */
const PART_MAX = 2 ** 50;

/** @param cursors of the partitions in question, in order */
export function encodePosition(cursors: readonly Cursor[]): string {
  const bytes: number[] = [VERSION];
  const parts = cursors.map(({ id }) => id.split("-").map(Number) as [number, number]);
  const latestMs = Math.max(...parts.map(([ms]) => ms));
  push(bytes, latestMs);
  for (const [index, { id, place, era }] of cursors.entries()) {
    const [ms, sequence] = parts[index] ?? [0, 0];
    // Where nothing was ever written it is not some fifty years before the others.
    push(bytes, id === ID_ZERO ? 0 : latestMs - ms + 1);
    push(bytes, sequence * FLAGS + (era > 0 ? HAS_ERA : 0) + (place > 0 ? HAS_PLACE : 0));
    if (era > 0) push(bytes, era);
    if (place > 0) push(bytes, place);
  }
  return encodeBase64Url(Uint8Array.from(bytes));
}

/**
 * @param count how many partitions it must be of
 * @returns null when it is not a position of ours, or of another number of partitions
 */
export function decodePosition(token: string, count: number): Cursor[] | null {
  const decoded = decodeBase64Url(token);
  if (decoded === null) return null;
  const bytes = new Reader(decoded);
  if (bytes.next() !== VERSION) return null;
  const latestMs = bytes.integer();
  const cursors: Cursor[] = [];
  for (let index = 0; index < count; index++) {
    const before = bytes.integer();
    const rest = bytes.integer();
    const era = rest % HAS_PLACE >= HAS_ERA ? bytes.integer() : 0;
    const place = rest % FLAGS >= HAS_PLACE ? bytes.integer() : 0;
    const ms = before === 0 ? 0 : latestMs - before + 1;
    if (ms < 0) return null;
    cursors.push({ id: `${ms}-${Math.floor(rest / FLAGS)}`, era, place });
  }
  // One token for one position: what else says the same is none of ours.
  return bytes.ended && encodePosition(cursors) === token ? cursors : null;
}

function push(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= GROUP) {
    bytes.push((rest % GROUP) + GROUP);
    rest = Math.floor(rest / GROUP);
  }
  bytes.push(rest);
}

/** What is missing or out of bounds reads as not a number. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  next(): number {
    this.#at += 1;
    return this.#bytes[this.#at - 1] ?? Number.NaN;
  }

  integer(): number {
    let value = 0;
    for (let unit = 1; ; unit *= GROUP) {
      const byte = this.next();
      value += (byte % GROUP) * unit;
      if (value >= PART_MAX * FLAGS) return Number.NaN;
      if (!(byte >= GROUP)) return value;
    }
  }
}
