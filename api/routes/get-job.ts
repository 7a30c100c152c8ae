/** `GET /v1/jobs/{id}?wait=<s>`: a job; with `wait` as soon as it is finished, or how it is when the time is over. */
import { WAIT_MAX_S } from "../../core/limits.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { untilFinished } from "../job-changes.ts";
import { jobParameters, jobSchema, SYSTEM_READ_PROBLEMS } from "../job-description.ts";
import { describeJob, JOB_PATH, parseJobPath, readJobOf } from "../jobs.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { Query, seconds } from "../query.ts";
import { splitTarget } from "../target.ts";

export const getJobRoute = describeRoute({
  operationId: "getJob",
  tag: "jobs",
  method: "GET",
  path: JOB_PATH,
  summary: "A job, and how far it is",
  parameters: jobParameters,
  query: new Query({
    wait: seconds(WAIT_MAX_S).describe(`Wait so many seconds for its end, ${WAIT_MAX_S} at most.`),
  }),
  answers: { 200: { ...jsonDocument("The job.", jobSchema), headers: ["Cache-Control", "ETag"] } },
  problems: ["job-not-found", "invalid-parameter", ...SYSTEM_READ_PROBLEMS],
});

export function getJob(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { path, query } = splitTarget(incoming.target);
    const { wait } = getJobRoute.query.read(query);
    const id = parseJobPath(path);
    const deadlineMs = deps.now() + wait * 1000;
    const read = await untilFinished(deps, await readJobOf(deps, id, caller), deadlineMs, incoming.gone);
    const answer = jsonAnswer(describeJob(read.job));
    answer.headers.ETag = `"${read.revision}"`;
    return answer;
  };
}
