/**
 * A command: one write request in the log. And what came of it.
 */
import type { EntryId } from "./entry-id.ts";

/** What a command does to its key. */
export type Operation =
  | { readonly op: "put"; readonly contentType: string; readonly value: Uint8Array }
  | { readonly op: "delete" }
  /** `by` is a decimal integer of 64 bits, as text: JavaScript numbers end at 2^53. */
  | { readonly op: "increment"; readonly by: string }
  /** Drops a dead letter. */
  | { readonly op: "discard"; readonly letter: EntryId };

/**
 * What becomes of later commands of a key when one of it cannot be applied. `skip`: they go on. `block`: they wait
 * among the dead letters, in order, until all of the key's are replayed or discarded.
 */
export type Parking = "skip" | "block";

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

export interface Command {
  readonly namespace: string;
  readonly key: string;
  readonly operation: Operation;
  readonly condition?: Condition;
  /** It does again what a dead letter of the same key says; else it is a command of its own. */
  readonly replays?: Replay;
  /** Without it: skip. It travels with the command, so that a replay of the log parks as the first run did. */
  readonly parking?: Parking;
  /** Somebody waits: the result is broadcast with the watermark. */
  readonly awaited: boolean;
  /** When the api accepted it, milliseconds since the epoch. */
  readonly acceptedMs: number;
  /** W3C trace context of the request, so that the apply joins its trace. */
  readonly traceparent?: string;
}

/**
 * What an applied command did. `counted` carries the counter's new value, as text; `repeated`: its producer's sequence
 * had been applied before, so it did nothing.
 */
export type Effect = "created" | "replaced" | "deleted" | "absent" | "counted" | "discarded" | "repeated";

/**
 * Why a command was judged and refused: a condition was not met, the stored value does not fit the operation, or a dead
 * letter was settled before, is older than a write of its key, or has to wait for an older letter of its key.
 */
export type RejectReason =
  | "condition-not-met"
  | "not-an-integer"
  | "increment-overflow"
  | "dead-letter-gone"
  | "newer-write"
  | "older-letter-first";

/** What came of a command once the watermark has passed it. */
export type Result =
  | { readonly outcome: "applied"; readonly effect?: Effect; readonly value?: string }
  /** `by`: the newer write, or the older letter. */
  | { readonly outcome: "rejected"; readonly reason: RejectReason; readonly by?: EntryId }
  | { readonly outcome: "dead"; readonly reason: string };
