/**
 * One item of a batch: an operation, and beside it what a write of its own says in headers. The same rules as for one.
 */
import { z } from "zod";
import type { Operation } from "../core/command.ts";
import { partitionOf } from "../core/partition.ts";
import type { AppDependencies, CommandTarget } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import { checkIdempotencyKey } from "./idempotency.ts";
import { tellFaults } from "./json-body.ts";
import { checkKey, pathOfKey } from "./key-path.ts";
import { operationSchema, readOperation } from "./operation-document.ts";
import { preconditionOf, type WritePrecondition } from "./precondition.ts";

export const batchItemSchema = z
  .intersection(
    operationSchema,
    z.strictObject({
      if_match: z.string().optional().describe("A revision, or `*`."),
      if_none_match: z.string().optional().describe("A revision, or `*`."),
      idempotency_key: z.string().optional(),
    }),
  )
  .meta({ id: "BatchItem" });

type Given = z.output<typeof batchItemSchema>;

/** A write as {@link sayWrite} takes it, but for the name that its idempotency key has in the batch. */
export interface BatchItem {
  readonly target: CommandTarget;
  readonly operation: Operation;
  readonly precondition: WritePrecondition;
  readonly idempotencyKey: string | null;
}

/**
 * @param document the item, parsed
 * @param text the same as it is written
 * @throws ProblemError
 */
export function readBatchItem(
  deps: Pick<AppDependencies, "partitions" | "now">,
  namespace: string,
  document: unknown,
  text: () => string,
): BatchItem {
  const parsed = batchItemSchema.safeParse(document);
  if (!parsed.success) throw new ProblemError("invalid-operation", tellFaults(parsed.error, 1));
  const given = parsed.data;
  const key = checkKey(given.key);
  const partition = partitionOf(namespace, key, deps.partitions);
  return {
    target: { namespace, key, partition, path: pathOfKey(namespace, key) },
    operation: readOperation(given, text, deps.now()),
    precondition: preconditionIn(given, partition, deps.partitions),
    idempotencyKey: given.idempotency_key === undefined ? null : checkIdempotencyKey(given.idempotency_key),
  };
}

function preconditionIn(given: Given, partition: number, partitions: number): WritePrecondition {
  const { if_match: match, if_none_match: noneMatch } = given;
  if (match !== undefined && noneMatch !== undefined) {
    throw new ProblemError("invalid-precondition", "Give if_match or if_none_match, not both.");
  }
  const revision = match ?? noneMatch;
  if (revision === undefined) return { impossible: false };
  const kind = match === undefined ? "none-match" : "match";
  const precondition = preconditionOf(kind, revision, partition, partitions);
  if (precondition) return precondition;
  throw new ProblemError("invalid-precondition", "Expected * or one revision, as an item's result names it.");
}
