/**
 * The headers of the contract, each described once. They are shared components of the OpenAPI document.
 */
import { z } from "zod";
import { GRADES } from "../../core/grade.ts";
import { IDEMPOTENCY_KEY_MAX_CHARS, METADATA_MAX_BYTES, MIN_REVISIONS_MAX, WAIT_MAX_S } from "../../core/limits.ts";
import { etagSchema, positionSchema, revisionSchema } from "./parameters.ts";

interface HeaderDescription {
  readonly description: string;
  readonly schema: z.ZodType;
}

const text = z.string();
const MATCH_PATTERN = /^(\*|"\d{2,4}-\d+-\d+")$/;

/** Of answers, by their names. */
export const ANSWER_HEADERS = {
  "X-Request-Id": {
    description: "What the request is called: what the client called it, or a name of ours. Ask about an answer by it.",
    schema: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/),
  },
  traceresponse: {
    description: "The trace of the request, where there is one (W3C Trace Context, level 2).",
    schema: z.string().regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
  },
  "X-Content-Type-Options": { description: "Browsers do not guess.", schema: z.literal("nosniff") },
  "Millrace-Revision": {
    description: "The revision of the key, or of the command that was accepted: the same thing once it is applied.",
    schema: revisionSchema,
  },
  "Millrace-Grade": {
    description: "How safe the accepted write is: which parts of the log have it.",
    schema: z.enum(GRADES),
  },
  ETag: { description: "The revision, in double quotes; of a document of ours, a hash of it.", schema: etagSchema },
  "Last-Modified": { description: "When the log took the command that last changed the key.", schema: text },
  "Idempotent-Replayed": {
    description: "The write had come before under its idempotency key: this is what became of the first.",
    schema: z.literal("true"),
  },
  Location: { description: "Where the status of the command is told (202), or the key itself (201).", schema: text },
  "Preference-Applied": { description: "Which preference of Prefer was followed (RFC 7240).", schema: text },
  "Retry-After": { description: "After so many seconds it is worth trying again.", schema: z.int().min(1) },
  "Cache-Control": { description: "What caches may do with the answer (RFC 9111).", schema: text },
  "Content-Security-Policy": { description: "What a browser may do with the answer.", schema: text },
  "Referrer-Policy": { description: "A link from this page does not tell where it is.", schema: text },
  "Cross-Origin-Resource-Policy": { description: "Pages of others do not embed it.", schema: z.literal("same-origin") },
  "WWW-Authenticate": { description: "How to show who one is, and what was wrong with it (RFC 6750).", schema: text },
  RateLimit: {
    description: "Where there is a limit: how many requests are left (`r`) until it begins anew in `t` seconds.",
    schema: text,
  },
  "RateLimit-Policy": {
    description: "Which limit that is: so many requests (`q`) in so many seconds (`w`); `token` or `default`.",
    schema: text,
  },
  Vary: { description: "Which headers of the request the answer depends on.", schema: text },
  "Millrace-Expires-At": { description: "When the key expires, in seconds since the epoch.", schema: z.number() },
  "Millrace-Metadata": { description: "What its writer keeps beside the value: JSON in ASCII.", schema: text },
  "Accept-Patch": { description: "The media types that a patch may have (RFC 5789).", schema: text },
  "X-Accel-Buffering": { description: "A proxy must not keep back what comes.", schema: z.literal("no") },
  Allow: { description: "The methods that the resource has.", schema: text },
} as const satisfies Record<string, HeaderDescription>;

export type AnswerHeader = keyof typeof ANSWER_HEADERS;

/** What every answer has. */
export const COMMON_HEADERS = ["X-Request-Id", "X-Content-Type-Options"] as const satisfies readonly AnswerHeader[];

/** What an answer may have: documents are not embedded and not referred from, and where there is a trace or a limit it is told. */
export const POSSIBLE_HEADERS = [
  "Cross-Origin-Resource-Policy",
  "Referrer-Policy",
  "traceresponse",
  "RateLimit",
  "RateLimit-Policy",
] as const satisfies readonly AnswerHeader[];

/** What tells of the accepted command that a problem is the outcome of. */
export const REJECTION_HEADERS = [
  "Millrace-Revision",
  "Millrace-Grade",
  "Preference-Applied",
  "Idempotent-Replayed",
] as const satisfies readonly AnswerHeader[];

/** The headers of an answer, as OpenAPI refers to them. */
export function headerRefs(names: readonly AnswerHeader[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Of requests, by the names of their components: one header may mean two things. */
export const REQUEST_HEADERS = {
  RequestId: {
    name: "X-Request-Id",
    description:
      "What to call the request. Anything else than 1 to 128 of these characters is as if it were not there.",
    schema: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/),
  },
  Prefer: {
    name: "Prefer",
    description:
      `\`wait=<seconds>\`: hold the answer for the real result, at most ${WAIT_MAX_S} s. \`respond-async\`: do not (RFC 7240). ` +
      "What cannot be read is ignored.",
    schema: text,
  },
  IfMatch: {
    name: "If-Match",
    description: "`*` or one revision in double quotes: the key must exist, or be at it, when the command is applied.",
    schema: z.string().regex(MATCH_PATTERN),
  },
  IfNoneMatch: {
    name: "If-None-Match",
    description:
      "`*` or one revision in double quotes: the key must not exist, or not be at it, when the command is applied.",
    schema: z.string().regex(MATCH_PATTERN),
  },
  IfNoneMatchOfRead: {
    name: "If-None-Match",
    description: "ETags, separated by commas: 304 when one of them still holds (RFC 9110, 13.1.2).",
    schema: text,
  },
  MinRevision: {
    name: "Millrace-Min-Revision",
    description:
      `Up to ${MIN_REVISIONS_MAX} revisions, separated by commas, of writes that the answer must not be older than. ` +
      "The newest of the key's partition counts.",
    schema: text,
  },
  Grade: {
    name: "Millrace-Grade",
    description: "How safe the write must be before it is accepted; else its namespace's grade, else the log's own.",
    schema: z.enum(GRADES),
  },
  IdempotencyKey: {
    name: "Idempotency-Key",
    description:
      "A name for this write, in double quotes: a repeat under it within 24 hours does nothing and is answered as the first was " +
      "(draft-ietf-httpapi-idempotency-key-header).",
    schema: z.string().max(2 * IDEMPOTENCY_KEY_MAX_CHARS + 2),
  },
  Metadata: {
    name: "Millrace-Metadata",
    description: `Kept beside the value until the next put: JSON in ASCII, at most ${METADATA_MAX_BYTES} bytes.`,
    schema: z.string().max(METADATA_MAX_BYTES),
  },
  LastEventId: {
    name: "Last-Event-ID",
    description: "The id of the last event that the client has had: what follows it is told. Browsers send it.",
    schema: positionSchema,
  },
  Traceparent: {
    name: "traceparent",
    description:
      "The trace that the write belongs to (W3C Trace Context). It travels with the command, as tracestate and baggage do.",
    schema: text,
  },
} as const satisfies Record<string, HeaderDescription & { readonly name: string }>;

export type RequestHeader = keyof typeof REQUEST_HEADERS;
