/**
 * Typed wrappers of the store's functions read_outcomes and read_revisions. See watch-reads.lua for what they answer.
 */
import type { Result } from "../command.ts";
import { type EntryId, ID_ZERO } from "../entry-id.ts";
import type { PartitionKeys } from "../keys.ts";
import type { Call } from "../redis/link.ts";
import { decodeStoredValue, type StoredValue } from "../stored-value.ts";
import { parseResult, parseWatermark, type Watermark } from "./apply.ts";
import type { Library } from "./library.ts";

/** What is known of the commands after an id, up to another, at one moment. */
export interface OutcomePage {
  readonly watermark: Watermark;
  /** How often an operator has given commands up. */
  readonly losses: number;
  /** What was more than plain success. */
  readonly outcomes: ReadonlyMap<EntryId, Result>;
  /** Up to here every command is applied, and its outcome, where there is one, is among these. */
  readonly through: EntryId;
}

/** A key at one of its revisions. */
export interface KeyRevision {
  readonly namespace: string;
  readonly key: string;
  readonly id: EntryId;
}

export function readOutcomesCall(library: Library, keys: PartitionKeys, from: EntryId, outcomes: number): Call {
  return {
    name: "FCALL_RO",
    args: [library.call("read_outcomes"), 3, keys.watermark, keys.outcomes, keys.losses, from, outcomes],
  };
}

/** @param asked outcomes that were asked for */
export function parseOutcomePage(reply: unknown, asked: number): OutcomePage {
  const [record, losses, ...rows] = reply as (Buffer | number)[];
  const watermark = parseWatermark(String(record) || null);
  const outcomes = new Map<EntryId, Result>();
  let last = ID_ZERO;
  for (let at = 0; at + 1 < rows.length; at += 2) {
    last = String(rows[at]);
    const text = String(rows[at + 1]);
    if (text !== "") outcomes.set(last, parseResult(text));
  }
  const complete = rows.length / 2 < asked;
  return { watermark, losses: Number(losses), outcomes, through: complete ? watermark.id : last };
}

export function readRevisionsCall(
  library: Library,
  keys: PartitionKeys,
  wanted: readonly KeyRevision[],
  bytes: number,
): Call {
  const valueKeys = wanted.map(({ namespace, key }) => keys.value(namespace, key));
  return {
    name: "FCALL_RO",
    args: [library.call("read_revisions"), valueKeys.length, ...valueKeys, bytes, ...wanted.map(({ id }) => id)],
  };
}

export function parseRevisions(reply: unknown): (StoredValue | null)[] {
  return (reply as (Buffer | null)[]).map((record) => (record === null ? null : decodeStoredValue(record)));
}
