/** `GET /v1/jobs/{id}/events`: a job and each change of it as server-sent events, until it is finished. */
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { parseJobPath, readJob } from "../jobs.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function getJobEvents(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { path, query } = splitTarget(incoming.target);
    onlyParameters(query, []);
    const first = await readJob(deps, parseJobPath(path));
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
