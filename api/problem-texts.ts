/**
 * What each problem means and what a client should do about it: told at the problem's own URL, `/problems/<slug>`.
 * The types want words for every slug.
 * What is between backticks is shown as code.
 */
import type { ProblemSlug } from "./errors.ts";
import { SYSTEM_PROBLEM_TEXTS } from "./system-problem-texts.ts";

interface ProblemText {
  readonly meaning: string;
  /** To whoever gets it. */
  readonly advice: string;
}

const READ_DETAIL = "Correct the request as `detail` says. Repeating it unchanged gives the same answer.";
const REPEAT_LATER = "Repeat the request after the seconds in `Retry-After`, with growing pauses.";

export const PROBLEM_TEXTS: Readonly<Record<ProblemSlug, ProblemText>> = {
  ...SYSTEM_PROBLEM_TEXTS,
  unauthenticated: {
    meaning: "The request has no token, or none that is valid now: see `detail` and the header `WWW-Authenticate`.",
    advice: "Send `Authorization: Bearer <token>` with a token or JWT that its operator has given you.",
  },
  forbidden: {
    meaning:
      "No scope of the token allows this: its namespaces, its prefix of keys, or its actions. That says nothing about what is there.",
    advice: "Ask for a token with such a scope. Repeating the request gives the same answer.",
  },
  "foreign-origin": {
    meaning:
      "A browser sent this for a page of another origin, which might not be what its user wants: this installation takes no tokens.",
    advice: "An operator may name the page's origin in `MILLRACE_CORS_ORIGINS`.",
  },
  "rate-limited": {
    meaning: "More requests came with this token, or from this address, than its limit allows: see `RateLimit-Policy`.",
    advice: "Repeat the request after the seconds in `Retry-After`. `RateLimit` tells what is left.",
  },
  "keys-unavailable": {
    meaning: "The JWT names a key that is not known yet, and its issuer does not answer now. It may be valid.",
    advice: REPEAT_LATER,
  },
  "not-found": {
    meaning:
      "No resource has this path. Paths are taken as they come: an encoded letter in a fixed part of one makes another path.",
    advice: "Compare the path with `/openapi.json`.",
  },
  "method-not-allowed": {
    meaning: "The resource exists and does not have this method. Nothing was done.",
    advice: "Use one of the methods in the header `Allow`.",
  },
  "invalid-namespace": {
    meaning: "The namespace in the path is missing, too long, or holds a character that a namespace cannot have.",
    advice: READ_DETAIL,
  },
  "invalid-key": {
    meaning:
      "The key in the path is empty, not percent-encoded UTF-8, holds a control character, or has `.` or `..` as a whole segment, " +
      "which URL parsers resolve differently.",
    advice: "Percent-encode the key, its slashes too (`%2F`).",
  },
  "key-too-long": {
    meaning: "The key has more bytes in UTF-8 than a key may have.",
    advice: "Use a shorter key, for instance a hash of the long one.",
  },
  "invalid-body": {
    meaning: "The body broke off before it was complete. Nothing was done.",
    advice: "Send the request again.",
  },
  "malformed-request": {
    meaning: "What came over the connection cannot be read as an HTTP/1.1 request. The connection is closed.",
    advice: "Look at what your client, or the proxy before us, sends.",
  },
  "request-timeout": {
    meaning: "Headers or body took too long to arrive. Nothing was done, and the connection is closed.",
    advice: "Send the request again, in one go.",
  },
  "headers-too-large": {
    meaning: "The request line and the headers together are larger than is read.",
    advice: "Send fewer or shorter headers.",
  },
  "value-too-large": {
    meaning: "The body has more bytes than a value may have. Nothing was done.",
    advice: "Store less under one key, or several keys.",
  },
  "invalid-content-type": {
    meaning: "The header `Content-Type` is too long, or not printable ASCII. It would be stored with the value.",
    advice: READ_DETAIL,
  },
  "invalid-revision": {
    meaning: "What stands where a revision belongs is none, or names a partition that does not exist.",
    advice: "Give revisions as answers gave them (`Millrace-Revision`), whole and unchanged.",
  },
  "invalid-precondition": {
    meaning:
      "`If-Match` or `If-None-Match` of a write is neither `*` nor one revision in double quotes, or both headers came.",
    advice: "Give one of them, with the ETag of an earlier answer or `*`.",
  },
  "invalid-increment": {
    meaning: "The parameter `increment` is missing, came twice, or is not a decimal integer of 64 bits.",
    advice: "Give `?increment=<n>` once, with n from -9223372036854775808 to 9223372036854775807.",
  },
  "invalid-cursor": {
    meaning: "The cursor is not one that an answer gave, or it belongs to another namespace or prefix.",
    advice: "Give the cursor of the page before with the same namespace and prefix, or begin anew without one.",
  },
  "invalid-expiry": {
    meaning:
      "`ttl`, `expires_at` or `keep_ttl` is not valid, has passed, or more than one of them is given. Nothing was written.",
    advice: READ_DETAIL,
  },
  "invalid-metadata": {
    meaning: "The header `Millrace-Metadata` is not a JSON text in ASCII, or too long. Nothing was written.",
    advice: "Write what is not ASCII as `\\u` escapes, and what is long in the value.",
  },
  "invalid-batch": {
    meaning: "The body is not a JSON array of operations, nor an object that holds one. Nothing was written.",
    advice: READ_DETAIL,
  },
  "invalid-operation": {
    meaning: "One operation of a batch is not valid. It did nothing; the others went on.",
    advice: "Correct that operation as `detail` says, and send it again.",
  },
  "batch-too-large": {
    meaning: "A batch that is one JSON document has too many operations or bytes. Nothing was written.",
    advice: "Send it line by line, as `application/x-ndjson`, or in several batches.",
  },
  "invalid-transaction": {
    meaning:
      "A transaction is not one, or one of its parts is not valid: `at` is the part's place, as a JSON pointer into what was sent, `key` its key. Nothing was written.",
    advice: READ_DETAIL,
  },
  "cross-partition": {
    meaning:
      "A transaction is of one partition, and its keys are in several: `detail` says where they are. Nothing was written.",
    advice:
      "Give all keys of it the same `{tag}`, as in `{order-7}/items` and `{order-7}/total`, or keep them in a namespace whose name begins with `@`: all its keys share a partition.",
  },
  "invalid-patch": {
    meaning: "The body is not a JSON text in UTF-8, or is nested too deep. Nothing was written.",
    advice: READ_DETAIL,
  },
  "unsupported-media-type": {
    meaning: "The resource takes bodies of other media types only. Nothing was written.",
    advice: "Send one of the types in the header `Accept-Patch`.",
  },
  "invalid-idempotency-key": {
    meaning:
      "The header Idempotency-Key is not one string in double quotes or one token, or is too long. Nothing was written.",
    advice: READ_DETAIL,
  },
  "idempotency-full": {
    meaning: "The key's partition remembers as many idempotency keys as it may. Nothing was written.",
    advice: "Repeat it later with the same idempotency key, or without one where a second effect does no harm.",
  },
  "idempotency-mismatch": {
    meaning: "A request that says something else came first with the same `Idempotency-Key`. This one did nothing.",
    advice: "Use a new key for each new request, and the same only to repeat one.",
  },
  "invalid-grade": {
    meaning: "The header `Millrace-Grade` names no grade.",
    advice: "Give `memory`, `replicated` or `disk`, or leave the header out.",
  },
  "grade-unavailable": {
    meaning: "The log of this installation can never give the grade that was asked for. Nothing was accepted.",
    advice: "Ask for a lower grade or for none, or have the log set up for it.",
  },
  "unknown-parameter": {
    meaning:
      "The resource has no such query parameter. It is refused rather than ignored, because it would silently be without effect.",
    advice: "Compare its name with `/openapi.json`.",
  },
  "invalid-parameter": {
    meaning: "A query parameter came twice, is missing where it is required, or has a value that it does not take.",
    advice: READ_DETAIL,
  },
  "precondition-failed": {
    meaning:
      "When the command was applied, the key was not as `If-Match` or `If-None-Match` demanded. Nothing was changed.",
    advice: "Read the key, decide again, and write with its present ETag.",
  },
  "type-conflict": {
    meaning:
      "The stored value does not fit the operation: it is not a 64-bit integer, or the sum would not be one. Nothing was changed.",
    advice: "Read the key, and put a value that fits.",
  },
  "command-dead": {
    meaning:
      "The command was accepted and could not be applied. It is kept as a dead letter, with its value and the reason; " +
      "its key is as it was.",
    advice:
      "Read `/v1/dead-letters/{id}` with the revision in `Millrace-Revision`, mend the cause, and replay or discard it.",
  },
  "key-not-found": {
    meaning: "The namespace has no such key: it was never written, or it is deleted.",
    advice: "To read your own write, send its revision in `Millrace-Min-Revision`.",
  },
  "command-not-found": {
    meaning: "The log has never held a command of this revision, or lost it at a grade that allows it.",
    advice: "Give the revision whole, as the answer to the write gave it.",
  },
  "invalid-position": {
    meaning: "What stands where a position in the changes belongs is none, or one of another number of partitions.",
    advice: "Give the id of an event of the same namespace and prefix, whole and unchanged.",
  },
  "position-trimmed": {
    meaning:
      "The log no longer keeps all that followed the position, or was brought into line with its store since: what comes next " +
      "cannot be told without a gap.",
    advice:
      "Read again what you need of the values, and watch on from now, or from the position in `restart`: the oldest that " +
      "can be had. Events from there on may be of changes that you have had.",
  },
  "command-trimmed": {
    meaning:
      "The command is older than what the log keeps. It was applied, rejected or parked long ago; which, is not known any more.",
    advice: "Read the key; ask for the status of a command sooner.",
  },
  "dead-letter-not-found": {
    meaning: "No dead letter has this revision, and none had.",
    advice: "List them: `GET /v1/dead-letters`.",
  },
  "dead-letter-gone": {
    meaning: "There was a dead letter of this revision. It was replayed or discarded.",
    advice: "Nothing is left to do.",
  },
  "dead-letter-not-replayable": {
    meaning: "The dead letter holds something that this version cannot read as a command.",
    advice: "Read it, save what is of use, and discard it.",
  },
  "newer-write": {
    meaning:
      "A newer command of the key was applied after the dead letter. Replaying it would undo that, so it yielded.",
    advice: "Discard the dead letter, or replay it with `?force=true` if the older value is the right one.",
  },
  "older-letter-first": {
    meaning:
      "The key's parking policy is `block`, and an older dead letter of the key is not settled. Order would be lost.",
    advice: "Replay or discard the older one first (`detail` names it), or use `?force=true`.",
  },
  "nothing-lost": {
    meaning:
      "The partition is neither in the state `lost-base`, nor has it stopped before something: there is no loss to accept. Nothing was done.",
    advice: "Look at `GET /v1/partitions/{n}`.",
  },
  "loss-changed": {
    meaning: "What the partition has lost now is not what was confirmed. Nothing was done.",
    advice: "Read `GET /v1/partitions/{n}` again, and confirm what it says now if you accept it.",
  },
  "log-unavailable": {
    meaning:
      "The log does not answer, refuses, or its replicas did not confirm in time that they have a write. A write was certainly not accepted.",
    advice: `${REPEAT_LATER} Reads are not affected.`,
  },
  "outcome-unknown": {
    meaning: "The connection to the log broke while the write was on its way: it may or may not be applied.",
    advice:
      'Read the key before you repeat the write. One with `If-Match: "<revision>"` may be repeated at once: it is applied once at most.',
  },
  "store-unavailable": {
    meaning: "The store does not answer. Writes are accepted all the same.",
    advice: REPEAT_LATER,
  },
  "revision-not-reached": {
    meaning: "The store had not applied the revision in `Millrace-Min-Revision` when the time to wait was over.",
    advice: "Repeat the read, with `Prefer: wait=<seconds>` if you can wait longer.",
  },
  "partition-recovering": {
    meaning:
      "The store went back behind what was served before. It is brought up to date from the log; an older value is not served.",
    advice: REPEAT_LATER,
  },
  "partition-halted": {
    meaning:
      "Log and store of the key's partition do not fit together (`frozen`, `lost-base`), or an operator has it stop at a point in " +
      "time (`stopped`). What it accepted would not be applied, so it accepts nothing.",
    advice:
      "`frozen` passes by itself. `lost-base` and `stopped` wait for an operator: `GET /v1/partitions/{n}` says what is lost.",
  },
  "dead-letters-full": {
    meaning: "The partition keeps as many dead letters as it may. It takes no writes, so that none has to be dropped.",
    advice: "Replay or discard some of them: see `/v1/dead-letters`. Then repeat the write.",
  },
  "backlog-full": {
    meaning: "The key's partition has accepted as much as it may and not yet applied it. This write was not accepted.",
    advice: REPEAT_LATER,
  },
  "log-full": {
    meaning: "The memory of the log is full up to the bound that writes are taken to. This write was not accepted.",
    advice: REPEAT_LATER,
  },
  overloaded: {
    meaning: "As many requests or connections as one process takes are waiting already. Nothing was accepted.",
    advice: REPEAT_LATER,
  },
  internal: {
    meaning:
      "Something that should not happen did. What became of the request is not known; the cause is in our log, under the request's id.",
    advice: "Tell the operator the `requestId`.",
  },
};
