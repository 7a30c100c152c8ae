/** `GET /v1/jobs?limit=&cursor=`: jobs, the youngest first. */
import { z } from "zod";
import { parseJob } from "../../core/job.ts";
import { JOBS_PREFIX } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { jobSchema, SYSTEM_READ_PROBLEMS } from "../job-description.ts";
import { describeJob, JOBS_PATH } from "../jobs.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { LIST_QUERY, listDocuments, listedMembers } from "../system-list.ts";
import { splitTarget } from "../target.ts";

export const listJobsRoute = describeRoute({
  operationId: "listJobs",
  tag: "jobs",
  method: "GET",
  path: JOBS_PATH,
  summary: "Jobs, the youngest first",
  parameters: {},
  query: LIST_QUERY,
  answers: { 200: jsonDocument("A page of them.", z.strictObject({ jobs: z.array(jobSchema), ...listedMembers })) },
  problems: ["invalid-parameter", "invalid-cursor", ...SYSTEM_READ_PROBLEMS],
});

export function listJobs(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { query } = splitTarget(incoming.target);
    const { documents, cursor } = await listDocuments(deps, query, JOBS_PREFIX);
    const jobs = documents.flatMap(({ document }) => {
      const job = parseJob(document);
      return job ? [describeJob(job)] : [];
    });
    return jsonAnswer({ jobs, cursor, complete: cursor === null });
  };
}
