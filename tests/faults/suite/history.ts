/**
 * What the clients did and what they were told: the only thing, beside log and store, that is judged.
 *
 * Each operation carries its number into the log as the trace id of its request, so that every entry of the log can be
 * put down to the operation it came from, also when its client never heard of it.
 */
import { type EntryId, parseRevision } from "../../../core/entry-id.ts";
import { PARTITIONS_MAX } from "../../../core/limits.ts";

export type OperationKind = "put" | "delete" | "increment" | "get" | "txn";

/** What a transaction asks for; revisions are entry ids. */
export interface Deal {
  readonly conditions: readonly ({ readonly key: string } & (
    | { readonly revision: EntryId }
    | { readonly exists: boolean }
  ))[];
  readonly operations: readonly (
    | { readonly op: "increment"; readonly key: string; readonly by: string }
    | { readonly op: "put"; readonly key: string; readonly value: string }
  )[];
}

export interface Operation {
  readonly id: number;
  readonly client: number;
  readonly kind: OperationKind;
  readonly namespace: string;
  readonly key: string;
  readonly partition: number;
  /** Of a put. Unique in a run. */
  readonly value?: string;
  /** Of a put: seconds to live. */
  readonly ttlS?: number;
  /** Of a transaction. */
  readonly deal?: Deal;
  /** Of an increment. Unique in a run. */
  readonly by?: string;
  /** If-Match or If-None-Match, with a revision or `*`. */
  readonly condition?: { readonly kind: "match" | "none-match"; readonly revision: string };
  /** Prefer: wait. */
  readonly waits: boolean;
  /** Of a get: what its answer must not be older than. */
  readonly least?: EntryId;
  /** Its key's history must be linearizable. */
  readonly strong: boolean;
  /** Monotonic milliseconds. */
  readonly startMs: number;
  /** When the answer was there; Infinity when there was none. */
  endMs: number;
  answer: Told;
}

/** What the client was told. */
export type Told =
  | { readonly kind: "pending" }
  /** An answer of the API. */
  | {
      readonly kind: "answer";
      readonly status: number;
      /** The slug of a problem. */
      readonly problem?: string;
      /** Entry id of the revision named. */
      readonly revision?: EntryId;
      readonly grade?: string;
      readonly body: string;
    }
  /** The connection broke: nobody knows. */
  | { readonly kind: "broken"; readonly reason: string }
  /** Nothing came within the client's patience. */
  | { readonly kind: "stuck" };

/**
 * What a write's answer says of it.
 * `accepted`: it is in the log. `done`: it is applied, or rejected, or dead, and this is its result. `refused`: it is
 * certainly not in the log. `unknown`: it may take effect later, or never. `unexpected`: an answer that no write of ours
 * should get.
 */
export type Claim = "accepted" | "done" | "refused" | "unknown" | "unexpected";

const REFUSALS = new Set(["log-unavailable", "overloaded", "partition-halted"]);

export function claimOf({ answer }: Operation): Claim {
  if (answer.kind !== "answer") return "unknown";
  const { status, problem, revision } = answer;
  if (status === 202) return revision === undefined ? "unexpected" : "accepted";
  // A condition was not met, the value was no counter, or the command is dead: judged, so it names its revision.
  if ([200, 201, 204, 409, 412, 422].includes(status)) return revision === undefined ? "unexpected" : "done";
  if (status === 429) return "refused";
  if (status === 503) return problem !== undefined && REFUSALS.has(problem) ? "refused" : "unknown";
  return status >= 500 ? "unknown" : "unexpected";
}

/** Did a read bring a value, or the certainty that there is none? */
export function readSucceeded({ answer }: Operation): boolean {
  return answer.kind === "answer" && (answer.status === 200 || answer.status === 404);
}

const TRACE_TAG = "6d696c6c72616365";

export function traceparentOf(operationId: number): string {
  return `00-${TRACE_TAG}${operationId.toString(16).padStart(16, "0")}-${TRACE_TAG}-01`;
}

/** @returns the operation's number, or null when the entry is of nobody here */
export function operationOfTrace(traceparent: string | undefined): number | null {
  const match = /^00-([0-9a-f]{16})([0-9a-f]{16})-/.exec(traceparent ?? "");
  return match?.[1] === TRACE_TAG ? Number.parseInt(match[2] ?? "", 16) : null;
}

/** The entry id in a revision as the API names it. */
export function entryIdOf(revision: string | undefined): EntryId | undefined {
  if (revision === undefined) return undefined;
  return parseRevision(revision.replaceAll('"', ""), PARTITIONS_MAX)?.id;
}
