/** `POST /v1/jobs`: long work, done by a consumer. `{"type":"delete","namespace":"…","prefix":"…"}` */
import { demand } from "../caller.ts";
import { deleteJob, deleteRequestSchema } from "../delete-job.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { JOB_MADE, JOB_WRITE_PROBLEMS } from "../job-description.ts";
import { JOBS_PATH, makeJob } from "../jobs.ts";
import { checkDocument, DOCUMENT_PROBLEMS, readJson } from "../json-body.ts";
import { JSON_TYPE } from "../media-type.ts";
import { describeRoute } from "../openapi/description.ts";
import { NO_QUERY } from "../query.ts";
import { splitTarget } from "../target.ts";

export const createJobRoute = describeRoute({
  operationId: "createJob",
  tag: "jobs",
  method: "POST",
  path: JOBS_PATH,
  summary: "Have keys deleted by prefix",
  description: "Long work, done by a consumer. What is written after the answer stays.",
  parameters: {},
  query: NO_QUERY,
  headers: ["Grade", "Traceparent"],
  body: { description: "What is to be done.", content: { [JSON_TYPE]: deleteRequestSchema } },
  answers: { 202: JOB_MADE },
  problems: [...JOB_WRITE_PROBLEMS, ...DOCUMENT_PROBLEMS, "too-many-jobs"],
});

export function createJob(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    createJobRoute.query.read(splitTarget(incoming.target).query);
    const { namespace, prefix } = checkDocument(deleteRequestSchema, await readJson(incoming, JSON_TYPE));
    demand(caller, { action: "admin", namespace, prefix });
    return makeJob(deps, incoming, await deleteJob(deps, { namespace, prefix }));
  };
}
