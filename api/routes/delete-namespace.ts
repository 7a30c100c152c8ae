/**
 * `DELETE /v1/namespaces/{namespace}`: deletes all its keys, and then its settings, as a job. What is written to it after
 * the answer stays.
 */
import { settingsKey } from "../../core/system-keys.ts";
import { deleteJob } from "../delete-job.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { makeJob } from "../jobs.ts";
import { parseNamespacePath } from "../namespace-path.ts";
import { expectMet } from "../system-precondition.ts";

export function deleteNamespace(deps: AppDependencies): Handler {
  return async (incoming) => {
    const namespace = parseNamespacePath(incoming.target);
    await expectMet(deps, incoming, () => deps.system.read(settingsKey(namespace)));
    return makeJob(deps, incoming, await deleteJob(deps, { namespace, prefix: "", settings: true }));
  };
}
