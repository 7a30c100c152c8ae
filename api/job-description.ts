/**
 * Jobs over HTTP, as schemas.
 */
import { z } from "zod";
import { JOB_STATES } from "../core/job.ts";
import { JSON_TYPE } from "./media-type.ts";
import type { AnswerDescription } from "./openapi/description.ts";
import { timeSchema } from "./openapi/parameters.ts";

export const jobParameters = { id: z.string().describe("The id of the job.") };

const anything = z.record(z.string(), z.json());

/** As `describeJob` tells it. */
export const jobSchema = z
  .strictObject({
    id: z.string(),
    type: z.string(),
    parameters: anything.describe("What it was asked for."),
    state: z.enum(JOB_STATES),
    progress: anything.describe(
      "Of a deletion: how many keys were `deleted`, `kept` (written after it was accepted, or by somebody else meanwhile) and " +
        "`failed` (their deletion is a dead letter), and by partition the last key that is settled.",
    ),
    createdAt: timeSchema,
    startedAt: timeSchema.nullable(),
    finishedAt: timeSchema.nullable(),
    runner: z.string().nullable().describe("The consumer that took it last."),
    reason: z.string().nullable().describe("Why it failed."),
  })
  .meta({ id: "Job" });

export const JOB_MADE: AnswerDescription = {
  description: "The job is in the log: a consumer will work on it.",
  headers: ["Millrace-Revision", "Millrace-Grade", "Location", "Cache-Control"],
  content: { [JSON_TYPE]: jobSchema },
};

/** Of whatever makes a job, or changes one. */
export const JOB_WRITE_PROBLEMS = [
  "invalid-grade",
  "grade-unavailable",
  "partition-halted",
  "partition-recovering",
  "backlog-full",
  "log-full",
  "log-unavailable",
  "outcome-unknown",
  "store-unavailable",
  "command-dead",
] as const;

/** Of whatever reads what Millrace itself keeps. */
export const SYSTEM_READ_PROBLEMS = ["store-unavailable", "partition-recovering"] as const;
