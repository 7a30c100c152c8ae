/** `PUT /v1/kv/{namespace}/{key}`: creates or replaces a value. */
import { partitionOf } from "../../core/partition.ts";
import { parseContentType } from "../body.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { parseKeyPath } from "../key-path.ts";
import { onlyParameters } from "../target.ts";
import { write } from "../write.ts";

export function putValue(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { namespace, key, path, query } = parseKeyPath(incoming.target);
    onlyParameters(query, []);
    const contentType = parseContentType(incoming.header("content-type"));
    const value = await incoming.body();
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    return write(deps, incoming, target, { op: "put", contentType, value });
  };
}
