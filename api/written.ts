/**
 * What a write came to, and how that is told: the same for one write and for an item among many.
 */
import type { Command, Result } from "../core/command.ts";
import { type EntryId, formatRevision } from "../core/entry-id.ts";
import type { Grade } from "../core/grade.ts";
import { PATCHED_VALUE_MAX_BYTES } from "../core/limits.ts";
import type { Transaction } from "../core/transaction.ts";
import type { Passed } from "./applied-feed.ts";
import { ProblemError } from "./errors.ts";
import type { Answer } from "./exchange.ts";
import { JSON_TYPE } from "./media-type.ts";
import { type Rejections, tellSteps, transactionAnswer } from "./transaction-answer.ts";

export interface Written {
  readonly partition: number;
  /** Of the command in the log; of a repeat the first one's. */
  readonly id: EntryId;
  /** The grade reached; null where the store has told of the command, which does not know it. */
  readonly grade: Grade | null;
  /** It had come before with its idempotency key, and that is what is told. */
  readonly repeated: boolean;
  /** Not passed: nobody waited, or not for long enough. */
  readonly passed: Passed;
}

export interface Told {
  readonly status: 200 | 201 | 202 | 204;
  /** Where the command's status is, or the key that was created. */
  readonly location?: string;
  /** The command's revision is the key's. */
  readonly changed?: true;
  /** A counter's new value. */
  readonly value?: string;
}

/**
 * @param path of the key
 * @param headers of an answer of failure
 * @throws ProblemError when the command was rejected or is dead
 */
export function tell({ partition, id, passed }: Written, path: string, headers: Record<string, string> = {}): Told {
  // Where the status is told (RFC 9110, 15.3.3).
  if (!passed.passed) return { status: 202, location: `/v1/commands/${formatRevision(partition, id)}` };
  const { result } = passed;
  if (result?.outcome === "rejected") {
    const [slug, detail] = REJECTIONS[result.reason];
    const by = result.by === undefined ? "" : ` It is ${formatRevision(partition, result.by)}.`;
    throw new ProblemError(slug, detail + by, headers);
  }
  if (result?.outcome === "dead") {
    throw new ProblemError("command-dead", `See /v1/commands/${formatRevision(partition, id)}.`, headers);
  }
  switch (result?.effect) {
    case "created":
      return { status: 201, location: path, changed: true };
    case "replaced":
      return { status: 204, changed: true };
    case "deleted":
    case "absent":
    case "expired":
    case "discarded":
      return { status: 204 };
    case "counted":
      return { status: 200, changed: true, value: result.value ?? "" };
    default:
      // Plain success, of which nothing more is known: its broadcast was lost.
      return { status: 200 };
  }
}

/**
 * @param transaction what was written, where it was one
 * @throws ProblemError as {@link tell} does
 */
export function writtenAnswer(
  written: Written,
  path: string,
  preferenceApplied: string,
  transaction: Transaction | null = null,
): Answer {
  const { partition, id, grade, repeated } = written;
  const revision = formatRevision(partition, id);
  const headers: Record<string, string> = { "Millrace-Revision": revision };
  if (grade !== null) headers["Millrace-Grade"] = grade;
  headers["X-Content-Type-Options"] = "nosniff";
  if (preferenceApplied !== "") headers["Preference-Applied"] = preferenceApplied;
  if (repeated) headers["Idempotent-Replayed"] = "true";
  if (transaction && written.passed.passed) {
    return transactionAnswer(transaction, written.passed.result ?? null, revision, headers, REJECTIONS);
  }
  const { status, location, changed, value } = tell(written, path, headers);
  if (location !== undefined) headers.Location = location;
  if (changed) headers.ETag = `"${revision}"`;
  if (status !== 200) return { status, headers, body: null };
  headers["Content-Type"] = value === undefined ? JSON_TYPE : "text/plain";
  return { status, headers, body: value ?? `{"id":"${revision}","status":"applied"}\n` };
}

type ToldResult = Result | (Pick<Result, "outcome"> & { readonly results: readonly object[] });

/** A result as it is told: an id in it as a revision, what became of the steps of a transaction with their keys. */
export function tellResult(partition: number, result: Result, command: Command | null): ToldResult {
  if (result.outcome === "applied" && result.steps && command?.operation.op === "txn") {
    const { steps, ...rest } = result;
    return { ...rest, results: tellSteps(command.operation, steps) };
  }
  if (result.outcome !== "rejected" || result.by === undefined) return result;
  return { ...result, by: formatRevision(partition, result.by) };
}

/** The command that came first, where this one did nothing because of it. */
export function firstOf(result: Result | undefined): EntryId | undefined {
  return result?.outcome === "applied" && result.effect === "duplicate" ? result.value : undefined;
}

const REJECTIONS: Rejections = {
  "condition-not-met": ["precondition-failed", "The key was not at that revision when the command was applied."],
  "not-an-integer": ["type-conflict", "The stored value is not a 64-bit integer."],
  "increment-overflow": ["type-conflict", "The sum does not fit 64 bits."],
  "not-json": ["type-conflict", "The stored value is not JSON that a patch could be merged into."],
  "too-large-to-patch": ["value-too-large", `A value that is patched has at most ${PATCHED_VALUE_MAX_BYTES} bytes.`],
  "idempotency-mismatch": ["idempotency-mismatch", "Another request came first with this idempotency key."],
  "dead-letter-gone": ["dead-letter-gone", "It was replayed or discarded before."],
  "newer-write": ["newer-write", "A newer command of the key was applied since; ?force=true replays all the same."],
  "older-letter-first": ["older-letter-first", "An older dead letter of the blocked key must be settled first."],
};
