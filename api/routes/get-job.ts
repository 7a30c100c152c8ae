/** `GET /v1/jobs/{id}?wait=<s>`: a job; with `wait` as soon as it is finished, or how it is when the time is over. */
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { untilFinished } from "../job-changes.ts";
import { describeJob, parseJobPath, readJob } from "../jobs.ts";
import { parseWaitParameter } from "../preference.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function getJob(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { path, query } = splitTarget(incoming.target);
    onlyParameters(query, ["wait"]);
    const id = parseJobPath(path);
    const waitS = parseWaitParameter(query?.get("wait") ?? null);
    if (waitS === null) throw new ProblemError("invalid-parameter", "wait takes a number of seconds.");
    const deadlineMs = deps.now() + waitS * 1000;
    const read = await untilFinished(deps, await readJob(deps, id), deadlineMs, incoming.gone);
    const answer = jsonAnswer(describeJob(read.job));
    answer.headers.ETag = `"${read.revision}"`;
    return answer;
  };
}
