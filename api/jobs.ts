/**
 * Jobs over HTTP: how one is made, read and told. Consumers work on them (see core/job.ts).
 */
import { formatRevision } from "../core/entry-id.ts";
import { isFinished, type Job, jobId, parseJob } from "../core/job.ts";
import { JOBS_OPEN_MAX, SYSTEM_LIST_MAX } from "../core/limits.ts";
import { JOBS_PREFIX, jobKey } from "../core/system-keys.ts";
import type { Need } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { AppDependencies } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import type { Answer, Incoming } from "./exchange.ts";
import { jsonAnswer } from "./exchange.ts";
import { writeDocument } from "./system-writes.ts";

export const JOBS_PATH = "/v1/jobs";
export const JOB_PATH = `${JOBS_PATH}/{id}` as const;

const ID_PATTERN = /^[a-z0-9]{9,12}-[a-z0-9]{8,32}$/;

/** What a type of job needs to be made. */
export type NewJob = Pick<Job, "type" | "parameters" | "basis">;

/** A job at a revision. */
export interface ReadJob {
  readonly job: Job;
  readonly id: string;
  readonly revision: string;
}

/** The id in `/v1/jobs/{id}` and what lies below it. @throws ProblemError `job-not-found` */
export function parseJobPath(path: string): string {
  const [id = ""] = path.slice(JOBS_PATH.length + 1).split("/");
  if (!ID_PATTERN.test(id)) throw new ProblemError("job-not-found");
  return id;
}

/** @throws ProblemError `job-not-found` */
export async function readJob(deps: Pick<AppDependencies, "system">, id: string): Promise<ReadJob> {
  const found = await deps.system.read(jobKey(id));
  const job = found && parseJob(found.document);
  if (!job) throw new ProblemError("job-not-found");
  return { job, id: found.id, revision: found.revision };
}

/** The same for whoever may administer the keys that it is about. To others there is none. @throws ProblemError `job-not-found` */
export async function readJobOf(deps: Pick<AppDependencies, "system">, id: string, caller: Caller): Promise<ReadJob> {
  const read = await readJob(deps, id);
  const { namespace, prefix } = read.job.parameters;
  const known = typeof namespace === "string" && typeof prefix === "string";
  const need: Need = known ? { action: "admin", namespace, prefix } : { action: "admin", everything: true };
  if (!caller.may(need)) throw new ProblemError("job-not-found");
  return read;
}

/** A job as it is told. */
export function describeJob(job: Job): Record<string, unknown> {
  const { basis: _, ...told } = job;
  return told;
}

/** Puts a new job where its runner finds it. 202: it will be worked on. @throws ProblemError `too-many-jobs` */
export async function makeJob(deps: AppDependencies, incoming: Incoming, what: NewJob): Promise<Answer> {
  if ((await countOpen(deps)) >= JOBS_OPEN_MAX) {
    throw new ProblemError("too-many-jobs", `${JOBS_OPEN_MAX} wait or run already.`);
  }
  const nowMs = deps.now();
  const job: Job = {
    id: jobId(nowMs, randomName()),
    ...what,
    state: "queued",
    progress: {},
    createdAt: new Date(nowMs).toISOString(),
    startedAt: null,
    finishedAt: null,
    runner: null,
    reason: null,
  };
  // Waits until it is applied, so that it is found where the answer says; the command alone says that it will be.
  const { accepted, result } = await writeDocument(deps, incoming, jobKey(job.id), job, {
    kind: "none-match",
    id: "*",
  });
  const revision = formatRevision(accepted.partition, accepted.id);
  if (result?.outcome === "dead") throw new ProblemError("command-dead", `See /v1/commands/${revision}.`);
  const { headers, body } = jsonAnswer(describeJob(job));
  const more = { "Millrace-Revision": revision, "Millrace-Grade": accepted.grade, Location: `${JOBS_PATH}/${job.id}` };
  return { status: 202, headers: { ...headers, ...more }, body };
}

async function countOpen(deps: AppDependencies): Promise<number> {
  let open = 0;
  for (let after: string | null = null; ; ) {
    const { documents, last } = await deps.system.page(JOBS_PREFIX, after, SYSTEM_LIST_MAX);
    for (const { document } of documents) {
      const job = parseJob(document);
      if (job && !isFinished(job)) open += 1;
    }
    if (last === null) return open;
    after = last;
  }
}

const NAME_BYTES = 8;

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(NAME_BYTES));
  return Array.from(bytes, (byte) => byte.toString(36).padStart(2, "0")).join("");
}
