/**
 * A command: one write request in the log. And what came of it.
 */
import type { EntryId } from "./entry-id.ts";

/** What a command does to its key. */
export type Operation =
  | { readonly op: "put"; readonly contentType: string; readonly value: Uint8Array }
  | { readonly op: "delete" }
  /** `by` is a decimal integer of 64 bits, as text: JavaScript numbers end at 2^53. */
  | { readonly op: "increment"; readonly by: string };

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
export type Effect = "created" | "replaced" | "deleted" | "absent" | "counted" | "repeated";

/** Why a command was judged and refused: a condition was not met, or the stored value does not fit the operation. */
export type RejectReason = "condition-not-met" | "not-an-integer" | "increment-overflow";

/** What came of a command once the watermark has passed it. */
export type Result =
  | { readonly outcome: "applied"; readonly effect?: Effect; readonly value?: string }
  | { readonly outcome: "rejected"; readonly reason: RejectReason }
  | { readonly outcome: "dead"; readonly reason: string };
