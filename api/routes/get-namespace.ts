/**
 * `GET /v1/namespaces/{namespace}`: its settings, and what it holds now. One without settings is answered too, without an
 * ETag: a namespace need not be created.
 */
import { isPinned, partitionsOf } from "../../core/partition.ts";
import { settingsKey } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { parseNamespacePath } from "../namespace-path.ts";

export function getNamespace(deps: AppDependencies): Handler {
  return async (incoming) => {
    const namespace = parseNamespacePath(incoming.target);
    const partitions = partitionsOf(namespace, deps.partitions);
    const stored = await deps.system.read(settingsKey(namespace));
    const usages = await Promise.all(partitions.map((partition) => deps.store.usage(partition, namespace)));
    const answer = jsonAnswer({
      namespace,
      settings: stored?.document ?? {},
      usage: { keys: usages.reduce((sum, { keys }) => sum + keys, 0) },
      pinned: isPinned(namespace),
      ...(isPinned(namespace) && { partition: partitions[0] }),
    });
    if (stored) {
      answer.headers.ETag = `"${stored.revision}"`;
      answer.headers["Millrace-Revision"] = stored.revision;
    }
    return answer;
  };
}
