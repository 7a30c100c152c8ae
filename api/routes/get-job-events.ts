/** `GET /v1/jobs/{id}/events`: a job and each change of it as server-sent events, until it is finished. */
import { z } from "zod";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { jobParameters, SYSTEM_READ_PROBLEMS } from "../job-description.ts";
import { JOB_PATH, parseJobPath, readJobOf } from "../jobs.ts";
import { describeRoute } from "../openapi/description.ts";
import { NO_QUERY } from "../query.ts";
import { splitTarget } from "../target.ts";

export const getJobEventsRoute = describeRoute({
  operationId: "getJobEvents",
  tag: "jobs",
  method: "GET",
  path: `${JOB_PATH}/events`,
  summary: "A job and each change of it, as server-sent events",
  description:
    "The job as it is, then as it is after each change, until it is finished: an event is called by its state.",
  parameters: jobParameters,
  query: NO_QUERY,
  answers: {
    200: {
      description: "Events, until the job is finished.",
      headers: ["Cache-Control", "X-Accel-Buffering"],
      content: { "text/event-stream": z.string() },
    },
  },
  problems: ["job-not-found", ...SYSTEM_READ_PROBLEMS],
});

export function getJobEvents(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { path, query } = splitTarget(incoming.target);
    getJobEventsRoute.query.read(query);
    const first = await readJobOf(deps, parseJobPath(path), caller);
    const headers = {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      // nginx would keep events back to fill its buffers.
      "X-Accel-Buffering": "no",
    };
    return { status: 200, headers, body: incoming.method === "HEAD" ? null : deps.jobStreams.open(first) };
  };
}
