/**
 * Typed wrapper of the store's function list_keys. See list-keys.lua for what it guarantees.
 */
import type { PartitionKeys } from "../keys.ts";
import type { Call } from "../redis/link.ts";
import { decodeStoredValue, type StoredValue } from "../stored-value.ts";
import { parseWatermark, type Watermark } from "./apply.ts";
import type { Library } from "./library.ts";

/** Which keys of a namespace are asked for, and how many. Keys are bytes here: their order is that of bytes. */
export interface KeyRange {
  readonly prefix: Uint8Array;
  /** Only keys behind it; null: from the first. */
  readonly after: Uint8Array | null;
  /** Keys that have expired by then are left out. */
  readonly nowMs: number;
  readonly keys: number;
  /** Keys to look at, with those that are left out. */
  readonly members: number;
  /** Bytes of keys and records. The first key is given also where it is larger. */
  readonly bytes: number;
  /** The longest record that comes with its value; 0: no values. */
  readonly wholeMaxBytes: number;
}

export interface ListedKey {
  readonly key: Uint8Array;
  /** Its value is empty where it is not {@link whole}. */
  readonly stored: StoredValue;
  /** Length of the value. */
  readonly sizeBytes: number;
  readonly whole: boolean;
}

/** Keys of one partition at one moment. */
export interface KeyPage {
  readonly watermark: Watermark;
  readonly keys: readonly ListedKey[];
  /** The last key that was looked at; null: all were. */
  readonly reached: Uint8Array | null;
}

export function listKeysCall(library: Library, keys: PartitionKeys, namespace: string, range: KeyRange): Call {
  const { prefix, after, nowMs, members, bytes, wholeMaxBytes } = range;
  return {
    name: "FCALL_RO",
    args: [
      library.call("list_keys"),
      3,
      keys.watermark,
      keys.index(namespace),
      keys.value(namespace, ""),
      after === null ? bound("[", prefix) : bound("(", after),
      prefix,
      nowMs,
      range.keys,
      members,
      bytes,
      wholeMaxBytes,
    ],
  };
}

export function parseKeyPage(reply: unknown): KeyPage {
  const [record, reached, ...rows] = reply as [Buffer, Buffer, ...unknown[]];
  const keys: ListedKey[] = [];
  for (let i = 0; i < rows.length; i += 3) {
    const [key, head, sizeBytes] = rows.slice(i, i + 3) as [Buffer, Buffer, number];
    const stored = decodeStoredValue(head);
    keys.push({ key, stored, sizeBytes, whole: stored.value.byteLength === sizeBytes });
  }
  return {
    watermark: parseWatermark(record.byteLength === 0 ? null : String(record)),
    keys,
    reached: reached.byteLength === 0 ? null : reached,
  };
}

/** As ZRANGEBYLEX takes it. */
function bound(kind: "[" | "(", key: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(kind), key]);
}
