/**
 * Dead letters over HTTP, as schemas: which are meant, how they are told, and what became of settling them.
 */
import { z } from "zod";
import { LETTERS_ANSWER_MAX } from "../core/limits.ts";
import { PROBLEMS, type ProblemSlug } from "./errors.ts";
import { jsonDocument } from "./openapi/description.ts";
import { revisionSchema, timeSchema } from "./openapi/parameters.ts";
import { wholeNumber } from "./query.ts";

const LIMIT_DEFAULT = 100;

const time = z.string().optional();
const once = z.string().optional();

/** The query parameters that say which letters are meant, and how many of them at once. */
export const letterFilter = {
  namespace: once.describe("Letters of this namespace."),
  key: once.describe("Letters of this key; a key of several namespaces, unless one is named."),
  prefix: once.describe("Letters of keys that begin with it."),
  reason: once.describe("Letters whose first or last reason contains it."),
  partition: wholeNumber(0, 9999).optional().describe("Letters of this partition."),
  since: time.describe("Letters as old as this or newer: the time of a revision, or a time as 2026-01-31T12:00:00Z."),
  until: time.describe("Letters older than this: the time of a revision, or a time as 2026-01-31T12:00:00Z."),
  limit: wholeNumber(1, LETTERS_ANSWER_MAX)
    .default(LIMIT_DEFAULT)
    .describe("How many letters one answer tells of at most."),
  cursor: once.describe("Where to go on, as the answer before said. What it holds is nobody's business."),
};

export type LetterFilter = z.output<z.ZodObject<typeof letterFilter>>;

const condition = z.union([
  z.strictObject({ ifMatch: z.union([z.literal("*"), revisionSchema]) }),
  z.strictObject({ ifNoneMatch: z.union([z.literal("*"), revisionSchema]) }),
]);

const letterMembers = {
  id: revisionSchema.describe("Of the command that failed."),
  partition: z.int().min(0),
  reason: z.string().describe("Why it failed first."),
  lastReason: z.string().describe("Why it failed last."),
  attempts: z.int().min(1).describe("Once as itself, and once in each replay that failed too."),
  lastReplay: revisionSchema.optional().describe("The last replay that failed."),
  blockedBy: revisionSchema.optional().describe("The letter that it was parked behind."),
  namespace: z.string().optional(),
  key: z.string().optional(),
  keys: z.array(z.string()).optional().describe("Of a transaction: those that it changes."),
  operation: z.string().optional(),
  if: z
    .array(z.looseObject({ key: z.string() }))
    .optional()
    .describe("A transaction's conditions."),
  then: z
    .array(z.looseObject({ op: z.string(), key: z.string() }))
    .optional()
    .describe("A transaction's operations."),
  contentType: z.string().optional(),
  by: z.string().optional().describe("What an increment adds."),
  condition: condition.optional(),
  acceptedAt: timeSchema.optional(),
  traceId: z.string().optional(),
  header: z
    .string()
    .optional()
    .describe("As it stood in the log: where it is not a command that this version can read."),
  bytes: z.int().min(0).describe("Of its value."),
};

const letterSchema = z.strictObject(letterMembers).meta({ id: "DeadLetter" });

export const wholeLetterSchema = z
  .strictObject({
    ...letterMembers,
    header: z.string().describe("As it stood in the log."),
    value: z.strictObject({
      encoding: z.enum(["text", "base64"]),
      data: z.string(),
      truncated: z.boolean().describe("Only its beginning is shown."),
    }),
  })
  .meta({ id: "WholeDeadLetter" });

/** What became of one key of a transaction. */
export const stepResultSchema = z.strictObject({
  key: z.string(),
  effect: z.string(),
  value: z.string().optional().describe("The counter's new value."),
});

const cursor = z.string().nullable().describe("Where to go on; null at the end.");

export const letterListSchema = z
  .strictObject({
    letters: z.array(letterSchema),
    cursor,
    complete: z.boolean(),
    partitions: z
      .array(z.strictObject({ partition: z.int().min(0), letters: z.int().min(0), bytes: z.int().min(0) }))
      .describe("How many letters each partition has, whatever the filter."),
  })
  .meta({ id: "DeadLetters" });

/** What a settling may have come to, done or foreseen. */
const STATUSES = [
  ...["apply", "yield", "gone", "wait", "reject", "fail", "discard", "not-replayable"],
  ...["applied", "rejected", "dead", "queued", "refused"],
] as const;

export const settlingSchema = z
  .strictObject({
    dryRun: z.literal(true).optional().describe("Nothing was done: this is what would come of it now."),
    matched: z.int().min(0),
    counts: z.partialRecord(z.enum(STATUSES), z.int().min(1)),
    letters: z.array(
      z.strictObject({
        id: revisionSchema,
        namespace: z.string().optional(),
        key: z.string().optional(),
        keys: z.array(z.string()).optional().describe("Of a transaction."),
        status: z.enum(STATUSES),
        revision: revisionSchema.optional().describe("Of the command that settles it."),
        refusedBy: z
          .enum(Object.keys(PROBLEMS) as [ProblemSlug, ...ProblemSlug[]])
          .optional()
          .describe("The problem that it was refused with."),
        effect: z.string().optional(),
        value: z.string().optional(),
        reason: z.string().optional(),
        by: revisionSchema.optional(),
        at: z.string().optional().describe("The part of a transaction that was refused: `/if/0`, `/then/3`."),
        results: z.array(stepResultSchema).optional().describe("What became of each key of a transaction."),
      }),
    ),
    cursor,
    complete: z.boolean(),
  })
  .meta({ id: "Settling" });

/** @param done when all of it is */
export function settlingAnswers(done: string) {
  const headers = ["Cache-Control", "Preference-Applied"] as const;
  return {
    200: { ...jsonDocument(done, settlingSchema), headers },
    202: { ...jsonDocument("Not all of it is known to be done: `counts` says what is.", settlingSchema), headers },
  };
}
