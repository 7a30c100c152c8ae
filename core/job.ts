/**
 * A job: long work that a consumer does in steps, and what is known of it. It is a JSON value of the reserved namespace,
 * changed by compare-and-set alone: by the API when it is made or cancelled, by its runner when it goes on.
 *
 *   queued    nobody works on it yet
 *   running   `runner` works on it, or did until it died: whoever owns the reserved namespace's partition goes on
 *   done, failed, cancelled   it never changes again, and is removed some time later
 */
import { z } from "zod";

export const JOB_STATES = ["queued", "running", "done", "failed", "cancelled"] as const;

const anything = z.record(z.string(), z.unknown());

export const jobSchema = z.object({
  id: z.string(),
  type: z.string(),
  /** As the client gave them. */
  parameters: anything,
  state: z.enum(JOB_STATES),
  /** What the type of job tells of how far it is. */
  progress: anything,
  /** ISO times. */
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  /** The consumer that took it last. */
  runner: z.string().nullable(),
  /** Why it failed. */
  reason: z.string().nullable(),
  /** What the type of job fixed when it was accepted. Not told to clients. */
  basis: anything,
});

export type Job = z.output<typeof jobSchema>;

export function isFinished({ state }: Pick<Job, "state">): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

/** @returns null when it is no job that this version can read */
export function parseJob(document: unknown): Job | null {
  const parsed = jobSchema.safeParse(document);
  return parsed.success ? parsed.data : null;
}

/** Past the year 5000. */
const LAST_MS = 10 ** 14;

/** Ids of younger jobs come first, so that a list begins with them. @param random tells jobs of one millisecond apart */
export function jobId(nowMs: number, random: string): string {
  return `${(LAST_MS - nowMs).toString(36)}-${random}`;
}
