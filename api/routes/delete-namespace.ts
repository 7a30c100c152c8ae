/**
 * `DELETE /v1/namespaces/{namespace}`: deletes all its keys, and then its settings, as a job. What is written to it after
 * the answer stays.
 */
import { settingsKey } from "../../core/system-keys.ts";
import { deleteJob } from "../delete-job.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { JOB_MADE, JOB_WRITE_PROBLEMS } from "../job-description.ts";
import { makeJob } from "../jobs.ts";
import { namespaceParameters } from "../namespace-description.ts";
import { describeRoute } from "../openapi/description.ts";
import { NO_QUERY } from "../query.ts";
import { parseSettingsPath, SETTINGS_PATH } from "../settings-path.ts";
import { expectMet } from "../system-precondition.ts";

export const deleteNamespaceRoute = describeRoute({
  operationId: "deleteNamespace",
  tag: "namespaces",
  method: "DELETE",
  path: SETTINGS_PATH,
  summary: "Delete a namespace's keys, and then its settings",
  description: "As a job. What is written to it after the answer stays.",
  parameters: namespaceParameters,
  query: NO_QUERY,
  headers: ["IfMatch", "IfNoneMatch", "Grade", "Traceparent"],
  answers: { 202: JOB_MADE },
  problems: [
    ...JOB_WRITE_PROBLEMS,
    "invalid-namespace",
    "invalid-precondition",
    "precondition-failed",
    "too-many-jobs",
  ],
});

export function deleteNamespace(deps: AppDependencies): Handler {
  return async (incoming) => {
    const namespace = parseSettingsPath(incoming.target);
    await expectMet(deps, incoming, () => deps.system.read(settingsKey(namespace)));
    return makeJob(deps, incoming, await deleteJob(deps, { namespace, prefix: "", settings: true }));
  };
}
