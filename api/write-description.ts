/**
 * What the routes that put a command in the log have in common, described; what they do is in `write.ts`.
 */
import { z } from "zod";
import type { ProblemSlug } from "./errors.ts";
import { stepResultSchema } from "./letter-schemas.ts";
import { JSON_TYPE } from "./media-type.ts";
import type { AnswerDescription } from "./openapi/description.ts";
import type { AnswerHeader, RequestHeader } from "./openapi/headers.ts";
import { revisionSchema } from "./openapi/parameters.ts";

export const KEY_PROBLEMS = [
  "invalid-namespace",
  "invalid-key",
  "key-too-long",
] as const satisfies readonly ProblemSlug[];

/** Of everything that `accept` takes. */
export const ACCEPT_HEADERS = ["Prefer", "Grade", "Traceparent"] as const satisfies readonly RequestHeader[];

export const ACCEPT_PROBLEMS = [
  "invalid-grade",
  "grade-unavailable",
  "settings-unknown",
  "partition-halted",
  "backlog-full",
  "log-full",
  "log-unavailable",
  "outcome-unknown",
] as const satisfies readonly ProblemSlug[];

/** Of a write to a key of its own. */
export const WRITE_HEADERS = [
  "IfMatch",
  "IfNoneMatch",
  "IdempotencyKey",
  ...ACCEPT_HEADERS,
] as const satisfies readonly RequestHeader[];

export const WRITE_PROBLEMS = [
  ...KEY_PROBLEMS,
  "invalid-precondition",
  "invalid-idempotency-key",
  "idempotency-full",
  "dead-letters-full",
  ...ACCEPT_PROBLEMS,
] as const satisfies readonly ProblemSlug[];

const ACCEPTED: readonly AnswerHeader[] = [
  "Millrace-Revision",
  "Millrace-Grade",
  "Preference-Applied",
  "Idempotent-Replayed",
];

const appliedSchema = z.strictObject({ id: revisionSchema, status: z.literal("applied") }).meta({ id: "Applied" });

/** What became of each key of a transaction, all of which are at that revision now. */
export const committedSchema = z
  .strictObject({ revision: revisionSchema, results: z.array(stepResultSchema) })
  .meta({ id: "Committed" });

/** Of a transaction that is waited for. */
export const committedAnswer: AnswerDescription = {
  description: "Applied: what became of each key. As id and status: applied, and nothing more is known of it.",
  headers: [...ACCEPTED, "ETag"],
  content: { [JSON_TYPE]: z.union([committedSchema, appliedSchema]) },
};

/** @param effects the answers of an applied command that its route can have */
export function writeAnswers(effects: readonly (keyof typeof EFFECTS)[]): Record<number, AnswerDescription> {
  const answers: Record<number, AnswerDescription> = {
    200: {
      description: "Applied; what it did is not known, because the word of it was lost on its way.",
      headers: ACCEPTED,
      content: { [JSON_TYPE]: appliedSchema },
    },
    202: { description: "Accepted: the command is in the log.", headers: [...ACCEPTED, "Location"] },
  };
  for (const effect of effects) answers[EFFECTS[effect].status] = EFFECTS[effect].answer;
  return answers;
}

const EFFECTS = {
  created: {
    status: 201,
    answer: { description: "Applied: the key is new.", headers: [...ACCEPTED, "Location", "ETag"] },
  },
  replaced: { status: 204, answer: { description: "Applied: the value is replaced.", headers: [...ACCEPTED, "ETag"] } },
  gone: { status: 204, answer: { description: "Applied: it is not there any more.", headers: ACCEPTED } },
  counted: {
    status: 200,
    answer: {
      description:
        "Applied: the counter's new value. As JSON: applied; the value is not known, because the word of it was lost.",
      headers: [...ACCEPTED, "ETag"],
      content: {
        "text/plain": z.string().regex(/^-?\d{1,19}$/),
        [JSON_TYPE]: appliedSchema,
      },
    },
  },
  /** Of a command that is another's once more: any of the others. */
  repeated: {
    status: 200,
    answer: {
      description:
        "Applied: a counter's new value, as text; what became of each key of a transaction; or nothing more is known of it.",
      headers: [...ACCEPTED, "ETag"],
      content: {
        "text/plain": z.string().regex(/^-?\d{1,19}$/),
        [JSON_TYPE]: z.union([committedSchema, appliedSchema]),
      },
    },
  },
  written: {
    status: 204,
    answer: { description: "Applied: the value is replaced, or the key is gone.", headers: [...ACCEPTED, "ETag"] },
  },
} as const satisfies Record<string, { status: number; answer: AnswerDescription }>;
