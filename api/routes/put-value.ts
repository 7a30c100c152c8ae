/** `PUT /v1/kv/{namespace}/{key}`: creates or replaces a value. */
import { partitionOf } from "../../core/partition.ts";
import { parseContentType, readValue } from "../body.ts";
import type { AppDependencies, Handler } from "../dependencies.ts";
import { onlyParameters, parseKeyPath } from "../key-path.ts";
import { write } from "../write.ts";

export function putValue(deps: AppDependencies): Handler {
  return async (request) => {
    const { namespace, key, path, query } = parseKeyPath(request.url);
    onlyParameters(query, []);
    const contentType = parseContentType(request.headers.get("content-type"));
    const value = await readValue(request);
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    return write(deps, request, target, { op: "put", contentType, value });
  };
}
