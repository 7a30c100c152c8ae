/** `POST /v1/jobs`: long work, done by a consumer. `{"type":"delete","namespace":"…","prefix":"…"}` */
import { deleteJob, deleteRequestSchema } from "../delete-job.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { makeJob } from "../jobs.ts";
import { checkDocument, JSON_TYPE, readJson } from "../json-body.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function createJob(deps: AppDependencies): Handler {
  return async (incoming) => {
    onlyParameters(splitTarget(incoming.target).query, []);
    const { namespace, prefix } = checkDocument(deleteRequestSchema, await readJson(incoming, JSON_TYPE));
    return makeJob(deps, incoming, await deleteJob(deps, { namespace, prefix }));
  };
}
