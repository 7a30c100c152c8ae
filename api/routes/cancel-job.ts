/**
 * `DELETE /v1/jobs/{id}`: cancels a job. What it has done stays done; what it has on its way, at most one step, may still be.
 * Its runner stops within a second. A job that is cancelled already answers as before; one that is done does not any more.
 */
import { isFinished } from "../../core/job.ts";
import { jobKey } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { JOB_WRITE_PROBLEMS, jobParameters, jobSchema } from "../job-description.ts";
import { describeJob, JOB_PATH, parseJobPath, readJobOf } from "../jobs.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { NO_QUERY } from "../query.ts";
import { writeDocument } from "../system-writes.ts";
import { splitTarget } from "../target.ts";

/** Its runner records progress all the while, so that often it is another one than it was when it was read. */
const PATIENCE_MS = 5_000;

export const cancelJobRoute = describeRoute({
  operationId: "cancelJob",
  tag: "jobs",
  method: "DELETE",
  path: JOB_PATH,
  summary: "Cancel a job",
  description: "What it has done stays done; what it has on its way may still be done. It stops within a second.",
  parameters: jobParameters,
  query: NO_QUERY,
  headers: ["Grade", "Traceparent"],
  answers: { 200: jsonDocument("The job, which is cancelled.", jobSchema) },
  problems: [...JOB_WRITE_PROBLEMS, "job-not-found", "job-finished", "job-not-cancelled"],
});

export function cancelJob(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { path, query } = splitTarget(incoming.target);
    cancelJobRoute.query.read(query);
    const id = parseJobPath(path);
    const deadlineMs = deps.now() + PATIENCE_MS;
    while (deps.now() < deadlineMs) {
      const { job, id: at } = await readJobOf(deps, id, caller);
      if (job.state === "cancelled") return jsonAnswer(describeJob(job));
      if (isFinished(job)) throw new ProblemError("job-finished", `It is ${job.state}.`);
      const cancelled = { ...job, state: "cancelled", finishedAt: new Date(deps.now()).toISOString() } as const;
      const { result } = await writeDocument(deps, incoming, jobKey(id), cancelled, { kind: "match", id: at });
      if (result?.outcome === "applied") return jsonAnswer(describeJob(cancelled));
      if (result === null) break;
    }
    throw new ProblemError("job-not-cancelled", "Repeat the request.");
  };
}
