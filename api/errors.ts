/**
 * The one table of problems the api answers with (RFC 9457). A slug is part of the contract: it never changes its meaning.
 */
import { type ErrorCode, OperatingError } from "../core/errors.ts";

interface ProblemType {
  readonly status: number;
  readonly title: string;
  /** Seconds, for what passes by itself. */
  readonly retryAfterS?: number;
}

export const PROBLEMS = {
  unauthenticated: { status: 401, title: "That takes a valid token" },
  forbidden: { status: 403, title: "The token does not allow that" },
  "foreign-origin": { status: 403, title: "A page of another origin must not do that" },
  "rate-limited": { status: 429, title: "Too many requests" },
  "keys-unavailable": { status: 503, title: "The keys that verify the token cannot be had now", retryAfterS: 5 },
  "not-found": { status: 404, title: "There is no such resource" },
  "method-not-allowed": { status: 405, title: "This resource does not have that method" },
  "invalid-namespace": { status: 400, title: "The namespace is not valid" },
  "invalid-key": { status: 400, title: "The key is not valid" },
  "key-too-long": { status: 414, title: "The key is too long" },
  "invalid-body": { status: 400, title: "The body did not arrive whole" },
  "malformed-request": { status: 400, title: "That is not an HTTP request" },
  "request-timeout": { status: 408, title: "The request did not arrive in time" },
  "headers-too-large": { status: 431, title: "The request's headers are too large" },
  "value-too-large": { status: 413, title: "The value is too large" },
  "invalid-content-type": { status: 400, title: "The content type is not valid" },
  "invalid-revision": { status: 400, title: "That is not a revision" },
  "invalid-precondition": { status: 400, title: "The precondition is not valid" },
  "invalid-batch": { status: 400, title: "The batch is not valid" },
  "invalid-operation": { status: 400, title: "The operation is not valid" },
  "batch-too-large": { status: 413, title: "The batch is too large" },
  "invalid-idempotency-key": { status: 400, title: "The idempotency key is not valid" },
  "invalid-increment": { status: 400, title: "The increment is not a 64-bit integer" },
  "invalid-expiry": { status: 400, title: "The expiry is not valid" },
  "invalid-metadata": { status: 400, title: "The metadata is not valid" },
  "invalid-transaction": { status: 400, title: "The transaction is not valid" },
  "cross-partition": { status: 422, title: "The transaction's keys are not of one partition" },
  "invalid-patch": { status: 400, title: "The patch is not valid" },
  "unsupported-media-type": { status: 415, title: "The body's media type is not taken here" },
  "invalid-grade": { status: 400, title: "That is not a grade" },
  "grade-unavailable": { status: 400, title: "This log cannot give that grade" },
  "invalid-document": { status: 400, title: "The document is not valid" },
  "job-not-found": { status: 404, title: "There is no such job" },
  "job-finished": { status: 409, title: "The job is finished" },
  "job-not-cancelled": { status: 503, title: "Nobody knows whether the job is cancelled", retryAfterS: 1 },
  "too-many-jobs": { status: 503, title: "Too many jobs wait or run", retryAfterS: 30 },
  "quota-exceeded": { status: 403, title: "The namespace holds as much as it may" },
  "too-many-namespaces": { status: 403, title: "Too many namespaces have settings" },
  "settings-unknown": { status: 503, title: "The settings of the namespace are not known yet", retryAfterS: 1 },
  "unknown-parameter": { status: 400, title: "A query parameter is not known here" },
  "invalid-parameter": { status: 400, title: "A query parameter is not valid" },
  "invalid-cursor": { status: 400, title: "That is not a cursor of this list" },
  "precondition-failed": { status: 412, title: "The precondition was not met" },
  "type-conflict": { status: 409, title: "The stored value does not fit the operation" },
  "idempotency-mismatch": { status: 422, title: "The idempotency key came before with another request" },
  "command-dead": { status: 422, title: "The command could not be applied" },
  "key-not-found": { status: 404, title: "The key does not exist" },
  "command-not-found": { status: 404, title: "There is no such command" },
  "dead-letter-not-found": { status: 404, title: "There is no such dead letter" },
  "dead-letter-gone": { status: 410, title: "The dead letter was replayed or discarded" },
  "dead-letter-not-replayable": { status: 409, title: "The dead letter is not a command" },
  "newer-write": { status: 409, title: "The key was written after the dead letter" },
  "older-letter-first": { status: 409, title: "The key has an older dead letter" },
  "command-trimmed": { status: 410, title: "The command is older than what the log keeps" },
  "invalid-position": { status: 400, title: "That is not a position of this feed" },
  "position-trimmed": { status: 410, title: "What follows the position is not kept any more" },
  "nothing-lost": { status: 409, title: "The partition has no loss to accept" },
  "loss-changed": { status: 409, title: "That is not what the partition has lost now" },
  "log-unavailable": { status: 503, title: "The log is not available now", retryAfterS: 1 },
  "outcome-unknown": { status: 503, title: "Nobody knows whether the write was accepted", retryAfterS: 1 },
  "store-unavailable": { status: 503, title: "The store does not answer now", retryAfterS: 1 },
  "revision-not-reached": { status: 503, title: "The store has not reached the revision yet", retryAfterS: 1 },
  "partition-recovering": { status: 503, title: "The key's partition is not back where it was yet", retryAfterS: 1 },
  "partition-halted": { status: 503, title: "The key's partition is halted", retryAfterS: 30 },
  "dead-letters-full": { status: 503, title: "The key's partition has too many dead letters", retryAfterS: 30 },
  "idempotency-full": {
    status: 503,
    title: "The key's partition knows too many idempotency keys",
    retryAfterS: 30,
  },
  "backlog-full": { status: 503, title: "Too much is accepted and not yet applied", retryAfterS: 2 },
  "log-full": { status: 503, title: "The log has no room now", retryAfterS: 5 },
  overloaded: { status: 503, title: "Too much is waiting already", retryAfterS: 1 },
  internal: { status: 500, title: "Something is wrong on our side" },
} as const satisfies Record<string, ProblemType>;

export type ProblemSlug = keyof typeof PROBLEMS;

/** A request's way out, from anywhere below its handler. */
export class ProblemError extends Error {
  readonly slug: ProblemSlug;
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;

  /**
   * @param detail for the client: what is wrong with this request, and never anything internal
   * @param members more of the problem, for a client to read (RFC 9457, 3.2)
   */
  constructor(
    slug: ProblemSlug,
    detail?: string,
    headers: Readonly<Record<string, string>> = {},
    members: Readonly<Record<string, unknown>> = {},
  ) {
    // It is an answer and nobody's mistake: collecting a stack would cost more than all the rest of it.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(detail ?? "");
    Error.stackTraceLimit = stackTraceLimit;
    this.name = "ProblemError";
    this.slug = slug;
    this.headers = headers;
    this.members = members;
  }
}

/** What a failure is for a client; null where only we should know. */
export function describeFailure(error: unknown): {
  readonly slug: ProblemSlug;
  readonly detail: string;
  readonly headers?: ProblemError["headers"];
  readonly members?: ProblemError["members"];
} | null {
  if (error instanceof ProblemError) {
    const { slug, message: detail, headers, members } = error;
    return { slug, detail, headers, members };
  }
  if (!(error instanceof OperatingError)) return null;
  return { slug: problemOfCode(error.code), detail: detailOfCode(error.code) };
}

export function problemOfCode(code: ErrorCode): ProblemSlug {
  switch (code) {
    case "log-unavailable":
    case "not-confirmed":
    case "not-settled":
      return "log-unavailable";
    case "outcome-unknown":
      return "outcome-unknown";
    case "store-unavailable":
      return "store-unavailable";
    case "overloaded":
      return "overloaded";
    case "format-mismatch":
    case "unsupported-version":
      return "internal";
  }
}

/** What a client should know of an operating error, beyond the title. */
function detailOfCode(code: ErrorCode): string {
  switch (code) {
    case "outcome-unknown":
      return "The write may or may not be applied. Repeat it with the same Idempotency-Key; if it had none, read the key first.";
    case "log-unavailable":
    case "not-confirmed":
    case "not-settled":
    case "overloaded":
      return "Nothing was accepted.";
    case "store-unavailable":
    case "format-mismatch":
    case "unsupported-version":
      return "";
  }
}
