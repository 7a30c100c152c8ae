/** `PUT /v1/kv/{namespace}/{key}`: creates or replaces a value, with its type, metadata and expiry. */
import { partitionOf } from "../../core/partition.ts";
import { parseContentType } from "../body.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { EXPIRY_PARAMETERS, parseExpiry } from "../expiry.ts";
import { parseKeyPath } from "../key-path.ts";
import { parseMetadata } from "../metadata.ts";
import { onlyParameters } from "../target.ts";
import { write } from "../write.ts";

export function putValue(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { namespace, key, path, query } = parseKeyPath(incoming.target);
    onlyParameters(query, EXPIRY_PARAMETERS);
    const expiry = parseExpiry(query, deps.now());
    const metadata = parseMetadata(incoming.header("millrace-metadata"));
    const contentType = parseContentType(incoming.header("content-type"));
    const value = await incoming.body();
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    if (expiry === undefined && metadata === undefined) {
      return write(deps, incoming, target, { op: "put", contentType, value });
    }
    const more = { ...(expiry && { expiry }), ...(metadata !== undefined && { metadata }) };
    return write(deps, incoming, target, { op: "put", contentType, value, ...more });
  };
}
