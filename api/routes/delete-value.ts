/** `DELETE /v1/kv/{namespace}/{key}`: the key is gone afterwards, whether it was there or not. */
import { partitionOf } from "../../core/partition.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { KEY_PATH, parseKeyPath } from "../key-path.ts";
import { describeRoute } from "../openapi/description.ts";
import { keyParameters } from "../openapi/parameters.ts";
import { NO_QUERY } from "../query.ts";
import { write } from "../write.ts";
import { WRITE_HEADERS, WRITE_PROBLEMS, writeAnswers } from "../write-description.ts";

export const deleteValueRoute = describeRoute({
  operationId: "deleteValue",
  tag: "values",
  method: "DELETE",
  path: KEY_PATH,
  summary: "Delete a key",
  description: "The key is gone afterwards, whether it was there or not.",
  parameters: keyParameters,
  query: NO_QUERY,
  headers: WRITE_HEADERS,
  answers: writeAnswers(["gone"]),
  problems: WRITE_PROBLEMS,
  rejections: ["precondition-failed", "idempotency-mismatch", "command-dead"],
});

export function deleteValue(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { namespace, key, path, query } = parseKeyPath(incoming.target);
    deleteValueRoute.query.read(query);
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    return write(deps, incoming, target, { op: "delete" }, caller.name);
  };
}
