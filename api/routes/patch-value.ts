/** `PATCH /v1/kv/{namespace}/{key}`: a JSON merge patch (RFC 7396), applied in log order; a missing key counts as `{}`. */
import { partitionOf } from "../../core/partition.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { EXPIRY_PARAMETERS, parseExpiry } from "../expiry.ts";
import { parseKeyPath } from "../key-path.ts";
import { checkPatch, requireMergePatch } from "../patch.ts";
import { onlyParameters } from "../target.ts";
import { write } from "../write.ts";

export function patchValue(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { namespace, key, path, query } = parseKeyPath(incoming.target);
    onlyParameters(query, EXPIRY_PARAMETERS);
    const expiry = parseExpiry(query, deps.now());
    requireMergePatch(incoming.header("content-type"));
    const value = await incoming.body();
    checkPatch(value);
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    return write(deps, incoming, target, { op: "patch", value, ...(expiry && { expiry }) });
  };
}
