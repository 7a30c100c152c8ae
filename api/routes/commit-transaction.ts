/**
 * `POST /v1/txn/{namespace}`: changes several keys at once when all conditions are met, else none. All keys are of one
 * partition: they share a {tag}, or their namespace is pinned.
 */
import { changedKeys, keysOf, type Transaction } from "../../core/transaction.ts";
import { type Caller, demand } from "../caller.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { parseNamespace } from "../key-path.ts";
import { JSON_TYPE, requireType } from "../media-type.ts";
import { describeRoute } from "../openapi/description.ts";
import { keyParameters } from "../openapi/parameters.ts";
import { NO_QUERY } from "../query.ts";
import { splitTarget } from "../target.ts";
import { parseTransaction, transactionSchema } from "../transaction.ts";
import { write } from "../write.ts";
import { ACCEPT_HEADERS, ACCEPT_PROBLEMS, committedAnswer, writeAnswers } from "../write-description.ts";

const PREFIX = "/v1/txn/";

export const commitTransactionRoute = describeRoute({
  operationId: "commitTransaction",
  tag: "values",
  method: "POST",
  path: "/v1/txn/{namespace}",
  summary: "Change several keys at once, or none",
  description:
    "All operations are done when every condition is met and every operation fits its key; else none is. All keys are of one " +
    "partition: they share a `{tag}`, or the namespace's name begins with `@`. Who asks must be allowed to write each key that is " +
    "changed, and to read each that is only looked at, or whose value is compared.",
  parameters: { namespace: keyParameters.namespace },
  query: NO_QUERY,
  headers: ["IdempotencyKey", ...ACCEPT_HEADERS],
  body: {
    description: "Conditions and operations, which are said as in a batch; a key has one operation.",
    content: { [JSON_TYPE]: transactionSchema },
  },
  answers: {
    ...writeAnswers([]),
    200: committedAnswer,
  },
  problems: [
    ...ACCEPT_PROBLEMS,
    "invalid-namespace",
    "invalid-transaction",
    "invalid-precondition",
    "invalid-idempotency-key",
    "idempotency-full",
    "invalid-body",
    "unsupported-media-type",
    "value-too-large",
    "cross-partition",
    "precondition-failed",
    "dead-letters-full",
    "quota-exceeded",
  ],
  rejections: ["precondition-failed", "idempotency-mismatch", "type-conflict", "value-too-large", "command-dead"],
});

export function commitTransaction(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { path, query } = splitTarget(incoming.target);
    const namespace = parseNamespace(path.slice(PREFIX.length));
    commitTransactionRoute.query.read(query);
    requireType(incoming.header("content-type"), JSON_TYPE);
    const reader = { namespace, partitions: deps.partitions, nowMs: deps.now() };
    const { transaction, partition } = parseTransaction(await incoming.body(), reader);
    demandAll(caller, namespace, transaction);
    const [key = ""] = keysOf({ key: "", operation: transaction });
    return write(deps, incoming, { namespace, key, path, partition }, transaction, caller.name);
  };
}

/**
 * What is changed is written. Whether a key is there, and at which revision, its writer may ask in any write; what its value is,
 * and all of a key that is not written, only a reader.
 */
function demandAll(caller: Caller, namespace: string, operation: Transaction): void {
  const changed = new Set(changedKeys({ key: "", operation }));
  for (const key of changed) demand(caller, { action: "write", namespace, key });
  for (const { key, kind } of operation.conditions) {
    if (kind === "value" || !changed.has(key)) demand(caller, { action: "read", namespace, key });
  }
}
