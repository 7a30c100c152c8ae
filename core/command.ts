/**
 * A command: one write request in the log. And what came of it.
 */
import type { EntryId } from "./entry-id.ts";
import type { TraceCarrier } from "./trace-context.ts";
import type { Transaction } from "./transaction.ts";

/**
 * When a key expires: as before, so long after its command is applied, or at a time since the epoch; milliseconds. By the
 * partition's time: accept times, clamped to run forward.
 */
export type Expiry = "keep" | { readonly ttlMs: number } | { readonly atMs: number };

/** What one key's value is changed by. */
export type KeyOperation =
  | {
      readonly op: "put";
      readonly contentType: string;
      readonly value: Uint8Array;
      /** Absent: the key does not expire. */
      readonly expiry?: Expiry;
      /** JSON in ASCII. Absent: none. */
      readonly metadata?: string;
    }
  | { readonly op: "delete" }
  /** `by` is a decimal integer of 64 bits, as text: JavaScript numbers end at 2^53. Absent expiry: as before. */
  | { readonly op: "increment"; readonly by: string; readonly expiry?: Expiry }
  /** JSON merge patch (RFC 7396): `value` is the patch's text. Absent expiry: as before. */
  | { readonly op: "patch"; readonly value: Uint8Array; readonly expiry?: Expiry };

/** What a command does to its key; a transaction to its keys. */
export type Operation =
  | KeyOperation
  | Transaction
  /** Removes the key if it has expired. Ours, never a client's. */
  | { readonly op: "expire" }
  /** Drops a dead letter. */
  | { readonly op: "discard"; readonly letter: EntryId };

/**
 * What becomes of later commands of a key when one of it cannot be applied. `skip`: they go on. `block`: they wait
 * among the dead letters, in order, until all of the key's are replayed or discarded.
 */
export type Parking = "skip" | "block";

/** Under which key of its client's a command came, so that a repeat does nothing: hashes of 128 bits, base64url. */
export interface Idempotency {
  readonly key: string;
  /** Of all that the request says. */
  readonly fingerprint: string;
}

/** The dead letter that a command replays. */
export interface Replay {
  readonly letter: EntryId;
  /** Neither newer writes of the key, nor older letters of it, nor the command's condition stand in its way. */
  readonly force: boolean;
}

/**
 * A condition on the key's present revision, judged when the command is applied.
 * `match`: the key must be at that revision (`*`: must exist). `none-match`: must not (`*`: must not exist).
 */
export interface Condition {
  readonly kind: "match" | "none-match";
  /** The revision's entry id, or `*`. */
  readonly id: EntryId;
}

/** With the trace of what sent it, so that its apply joins that; every command of a request has one. */
export interface Command extends TraceCarrier {
  readonly namespace: string;
  /** Of a transaction: the first that it names. */
  readonly key: string;
  readonly operation: Operation;
  readonly condition?: Condition | undefined;
  /** It does again what a dead letter of the same key says; else it is a command of its own. */
  readonly replays?: Replay | undefined;
  readonly idempotency?: Idempotency | undefined;
  /** Without it: skip. It travels with the command, so that a replay of the log parks as the first run did. */
  readonly parking?: Parking | undefined;
  /** Somebody waits: the result is broadcast with the watermark. */
  readonly awaited: boolean;
  /** When the api accepted it, milliseconds since the epoch. */
  readonly acceptedMs: number;
}

/** The bytes that a command brings beside its header. */
export function valueIn(operation: Operation): Uint8Array | null {
  return "value" in operation ? operation.value : null;
}

/** How many bytes of a client's an operation is: values, and of a transaction all else that it names. */
export function bytesIn(operation: Operation): number {
  let bytes = valueIn(operation)?.byteLength ?? 0;
  if (operation.op !== "txn") return bytes;
  for (const { key } of operation.conditions) bytes += key.length;
  for (const { key, operation: change } of operation.steps) {
    bytes += key.length;
    if (change.op === "put") bytes += change.contentType.length + (change.metadata?.length ?? 0);
  }
  return bytes;
}

/**
 * What an applied command did. `counted` carries the counter's new value, as text; `repeated`: its producer's sequence
 * had been applied before, so it did nothing; `duplicate`: neither did it, because a command with its idempotency key had
 * been applied before, whose id is told; `committed`: a transaction made its changes.
 */
export type Effect =
  | "created"
  | "replaced"
  | "deleted"
  | "absent"
  | "counted"
  | "expired"
  | "discarded"
  | "repeated"
  | "duplicate"
  | "committed";

/** What became of one key of a transaction. */
export interface StepResult {
  readonly effect: Effect;
  /** The counter's new value. */
  readonly value?: string;
}

/**
 * Why a command was judged and refused: a condition was not met, the stored value does not fit the operation, its
 * idempotency key came before with another request, or a dead letter was settled before, is older than a write of its
 * key, or has to wait for an older letter of its key.
 */
export type RejectReason =
  | "condition-not-met"
  | "not-an-integer"
  | "increment-overflow"
  | "not-json"
  | "too-large-to-patch"
  | "idempotency-mismatch"
  | "dead-letter-gone"
  | "newer-write"
  | "older-letter-first";

/** What came of a command once the watermark has passed it. */
export type Result =
  /** `steps`: of a transaction, in its order. */
  | {
      readonly outcome: "applied";
      readonly effect?: Effect;
      readonly value?: string;
      readonly steps?: readonly StepResult[];
    }
  /**
   * `by`: the newer write, the older letter, or the command that came first with the idempotency key. `at`: the part of a
   * transaction that was refused, as a JSON pointer (RFC 6901) into what the client sent: `/if/0`, `/then/3`.
   */
  | { readonly outcome: "rejected"; readonly reason: RejectReason; readonly by?: EntryId; readonly at?: string }
  | { readonly outcome: "dead"; readonly reason: string };
