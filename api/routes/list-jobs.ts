/** `GET /v1/jobs?limit=&cursor=`: jobs, the youngest first. */
import { parseJob } from "../../core/job.ts";
import { JOBS_PREFIX } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { describeJob } from "../jobs.ts";
import { LIST_PARAMETERS, listDocuments } from "../system-list.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function listJobs(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { query } = splitTarget(incoming.target);
    onlyParameters(query, LIST_PARAMETERS);
    const { documents, cursor } = await listDocuments(deps, query, JOBS_PREFIX);
    const jobs = documents.flatMap(({ document }) => {
      const job = parseJob(document);
      return job ? [describeJob(job)] : [];
    });
    return jsonAnswer({ jobs, cursor, complete: cursor === null });
  };
}
