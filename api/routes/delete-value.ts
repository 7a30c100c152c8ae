/** `DELETE /v1/kv/{namespace}/{key}`: the key is gone afterwards, whether it was there or not. */
import { partitionOf } from "../../core/partition.ts";
import type { AppDependencies, Handler } from "../dependencies.ts";
import { onlyParameters, parseKeyPath } from "../key-path.ts";
import { write } from "../write.ts";

export function deleteValue(deps: AppDependencies): Handler {
  return async (request) => {
    const { namespace, key, path, query } = parseKeyPath(request.url);
    onlyParameters(query, []);
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    return write(deps, request, target, { op: "delete" });
  };
}
