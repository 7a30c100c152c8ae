/** `DELETE /v1/kv/{namespace}/{key}`: the key is gone afterwards, whether it was there or not. */
import { partitionOf } from "../../core/partition.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { parseKeyPath } from "../key-path.ts";
import { onlyParameters } from "../target.ts";
import { write } from "../write.ts";

export function deleteValue(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { namespace, key, path, query } = parseKeyPath(incoming.target);
    onlyParameters(query, []);
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    return write(deps, incoming, target, { op: "delete" });
  };
}
