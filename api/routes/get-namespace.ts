/**
 * `GET /v1/namespaces/{namespace}`: its settings, and what it holds now. One without settings is answered too, without an
 * ETag: a namespace need not be created.
 */
import { isPinned, partitionOf } from "../../core/partition.ts";
import { settingsKey } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { SYSTEM_READ_PROBLEMS } from "../job-description.ts";
import { namespaceParameters, namespaceSchema } from "../namespace-description.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { NO_QUERY } from "../query.ts";
import { usageOf } from "../quotas.ts";
import { parseSettingsPath, SETTINGS_PATH } from "../settings-path.ts";

export const getNamespaceRoute = describeRoute({
  operationId: "getNamespace",
  tag: "namespaces",
  method: "GET",
  path: SETTINGS_PATH,
  summary: "The settings of a namespace, and what it holds",
  description: "One without settings is answered too, without an ETag: a namespace need not be created.",
  parameters: namespaceParameters,
  query: NO_QUERY,
  answers: {
    200: {
      ...jsonDocument("The namespace as it is now. The ETag is of its settings.", namespaceSchema),
      headers: ["Cache-Control", "ETag", "Millrace-Revision"],
    },
  },
  problems: ["invalid-namespace", ...SYSTEM_READ_PROBLEMS],
});

export function getNamespace(deps: AppDependencies): Handler {
  return async (incoming) => {
    const namespace = parseSettingsPath(incoming.target);
    const stored = await deps.system.read(settingsKey(namespace));
    const usage = await usageOf(deps.store, namespace, deps.partitions);
    const answer = jsonAnswer({
      namespace,
      settings: stored?.document ?? {},
      usage,
      pinned: isPinned(namespace),
      ...(isPinned(namespace) && { partition: partitionOf(namespace, "", deps.partitions) }),
    });
    if (stored) {
      answer.headers.ETag = `"${stored.revision}"`;
      answer.headers["Millrace-Revision"] = stored.revision;
    }
    return answer;
  };
}
