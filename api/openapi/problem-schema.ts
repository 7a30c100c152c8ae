/**
 * What a problem document is (RFC 9457), for each slug, from the table of problems.
 */
import { z } from "zod";
import { PROBLEMS, type ProblemSlug } from "../errors.ts";
import { problemType } from "../problem.ts";
import { PROBLEM_TEXTS } from "../problem-texts.ts";
import { positionSchema } from "./parameters.ts";

/** Of a transaction. */
const placed = {
  at: z
    .string()
    .optional()
    .describe("Its part that was refused: a JSON pointer into what was sent, as `/if/0` or `/then/3`."),
  key: z.string().optional().describe("The key of that part."),
};

/** What some tell beside what all tell (RFC 9457, 3.2). */
const MEMBERS: Readonly<Partial<Record<ProblemSlug, z.ZodRawShape>>> = {
  "invalid-transaction": placed,
  "precondition-failed": placed,
  "type-conflict": placed,
  "value-too-large": placed,
  "position-trimmed": { restart: positionSchema.describe("The oldest position to go on from.") },
};

const schemas = Object.fromEntries(
  Object.entries(PROBLEMS).map(([slug, { status, title }]) => [slug, schemaOf(slug as ProblemSlug, status, title)]),
) as Readonly<Record<ProblemSlug, z.ZodType>>;

export function problemSchema(slug: ProblemSlug): z.ZodType {
  return schemas[slug];
}

function schemaOf(slug: ProblemSlug, status: number, title: string): z.ZodType {
  return z
    .strictObject({
      type: z.literal(problemType(slug)).describe("Its URL, relative to this answer's; never changes its meaning."),
      title: z.literal(title),
      status: z.literal(status),
      detail: z.string().optional().describe("What is wrong with this request, for people."),
      ...MEMBERS[slug],
      requestId: z.string().describe("As in the header X-Request-Id."),
    })
    .meta({ id: `problem.${slug}`, title, description: PROBLEM_TEXTS[slug].meaning });
}
