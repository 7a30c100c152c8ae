/** `POST /v1/kv/{namespace}/{key}?increment=<n>`: adds to a counter, exact over 64 bits; a missing key counts from 0. */

import { z } from "zod";
import { partitionOf } from "../../core/partition.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { EXPIRY_PARAMETERS, EXPIRY_PROBLEMS, expiryOf } from "../expiry.ts";
import { KEY_PATH, parseKeyPath } from "../key-path.ts";
import { describeRoute } from "../openapi/description.ts";
import { keyParameters } from "../openapi/parameters.ts";
import { Query } from "../query.ts";
import { write } from "../write.ts";
import { WRITE_HEADERS, WRITE_PROBLEMS, writeAnswers } from "../write-description.ts";

const INT64_MAX = 2n ** 63n - 1n;

const error = "is an integer of 64 bits.";
export const incrementSchema = z
  .string({ error: "is missing." })
  .regex(/^[+-]?\d{1,20}$/, { error, abort: true })
  .transform((text) => BigInt(text.replace("+", "")))
  .refine((by) => by <= INT64_MAX && by >= -INT64_MAX - 1n, { error })
  .describe("What to add: a decimal integer of 64 bits.");

export const incrementValueRoute = describeRoute({
  operationId: "incrementValue",
  tag: "values",
  method: "POST",
  path: KEY_PATH,
  summary: "Add to a counter",
  description:
    "Exact over 64 bits. A key that is missing counts from 0. Metadata stays, and the expiry unless another is given.",
  parameters: keyParameters,
  query: new Query({ increment: incrementSchema, ...EXPIRY_PARAMETERS }, "invalid-increment", EXPIRY_PROBLEMS),
  headers: WRITE_HEADERS,
  answers: writeAnswers(["counted"]),
  problems: [...WRITE_PROBLEMS, "quota-exceeded", "invalid-increment", "invalid-expiry"],
  rejections: ["precondition-failed", "idempotency-mismatch", "type-conflict", "command-dead"],
});

export function incrementValue(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { namespace, key, path, query } = parseKeyPath(incoming.target);
    const given = incrementValueRoute.query.read(query);
    const expiry = expiryOf(given, deps.now());
    const by = given.increment.toString();
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    return write(deps, incoming, target, { op: "increment", by, ...(expiry && { expiry }) }, caller.name);
  };
}
