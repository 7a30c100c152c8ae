/**
 * `GET /v1/namespaces/{namespace}`: its settings, and what it holds now. One without settings is answered too, without an
 * ETag: a namespace need not be created.
 */
import { isPinned, partitionOf } from "../../core/partition.ts";
import { settingsKey } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { parseNamespacePath } from "../namespace-path.ts";
import { usageOf } from "../quotas.ts";

export function getNamespace(deps: AppDependencies): Handler {
  return async (incoming) => {
    const namespace = parseNamespacePath(incoming.target);
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
