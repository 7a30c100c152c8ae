/** What a check judges: the clients' history, the log as it is, and what every node of the store holds. */
import type { EntryId } from "../../../core/entry-id.ts";
import type { Operation } from "./history.ts";
import type { RawEntry } from "./model.ts";

/** One partition on one node of the store. */
export interface PartitionImage {
  readonly watermark: { readonly id: EntryId; readonly ordinal: number };
  /** The stored bytes, by `<namespace>/<key>`. */
  readonly values: ReadonlyMap<string, Buffer>;
  /** The keys of each namespace, in the index's order. */
  readonly indexes: ReadonlyMap<string, readonly string[]>;
  /** When keys expire, in milliseconds, by `<namespace>/<key>`. */
  readonly expiries: ReadonlyMap<string, string>;
  readonly outcomes: ReadonlyMap<EntryId, string>;
  readonly dead: readonly EntryId[];
}

export interface StoreImage {
  /** `master 127.0.2.1:20001`. */
  readonly node: string;
  readonly isMaster: boolean;
  readonly partitions: readonly PartitionImage[];
}

export interface Evidence {
  /** Of the whole run. */
  readonly operations: readonly Operation[];
  /** Operations that begin from here are of the round that is judged; earlier ones are looked for in the log only. */
  readonly roundStartMs: number;
  /** Each partition's entries, oldest first, from the log's master. */
  readonly log: readonly (readonly RawEntry[])[];
  readonly stores: readonly StoreImage[];
  /** What `GET /v1/commands` said of some operations, by number. */
  readonly statuses: ReadonlyMap<number, string>;
  /** Keys with foreign content that a nemesis put into the store, as `<namespace>/<key>`. */
  readonly foreign: ReadonlySet<string>;
  /** Grades at which an acknowledged write must not be lost. */
  readonly heldGrades: ReadonlySet<string>;
}

/** Every counter lives here, and is changed by increments alone. */
export const COUNTERS = "counters";

/** Accounts live here, `{<bank>}/<account>`: money is moved between those of one bank by transactions, and never made. */
export const BANKS = "banks";
export const ACCOUNT_PATTERN = /^banks\/(\{.*\})\/account-/;
