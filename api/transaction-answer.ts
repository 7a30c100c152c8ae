/**
 * How a transaction and its result are told: by keys, and by the places of what the client sent. Pure.
 */
import type { Command, RejectReason, Result, StepResult } from "../core/command.ts";
import { formatRevision } from "../core/entry-id.ts";
import { changedKeys, type Transaction } from "../core/transaction.ts";
import { ProblemError, type ProblemSlug } from "./errors.ts";
import type { Answer } from "./exchange.ts";
import { JSON_TYPE } from "./media-type.ts";

/** What a refusal of each kind is called, and what is said of it. */
export type Rejections = Readonly<Record<RejectReason, readonly [slug: ProblemSlug, detail: string]>>;

/** What became of each key. */
export function tellSteps({ steps }: Transaction, results: readonly StepResult[]): Record<string, string>[] {
  return steps.map(({ key }, index) => ({ key, ...results[index] }));
}

/** The key that a command changes, or those that a transaction does. */
export function tellKeys(command: Pick<Command, "key" | "operation">): { key: string } | { keys: readonly string[] } {
  return command.operation.op === "txn" ? { keys: changedKeys(command) } : { key: command.key };
}

/** What a transaction is made of, without its values. */
export function tellParts(partition: number, { conditions, steps }: Transaction): Record<string, unknown> {
  return {
    if: conditions.map((condition) => {
      const { key, kind } = condition;
      if (kind === "value") return { key, compares: "value" };
      if (condition.id === "*") return { key, exists: kind === "match" };
      return { key, [kind === "match" ? "revision" : "not_revision"]: formatRevision(partition, condition.id) };
    }),
    then: steps.map(({ key, operation }) => ({
      op: operation.op,
      key,
      ...(operation.op === "put" && { content_type: operation.contentType }),
      ...(operation.op === "increment" && { by: operation.by }),
    })),
  };
}

/** The key of a part of a transaction, by its place: `/if/0`, `/then/3`. */
export function keyAt({ conditions, steps }: Transaction, place: string): string | undefined {
  const [, list, index] = place.split("/");
  return (list === "if" ? conditions : steps)[Number(index)]?.key;
}

/**
 * The answer of who waited for it. Every outcome of a transaction is kept, so it is known also where its broadcast was lost.
 * @throws ProblemError, with the place and the key of what was refused
 */
export function transactionAnswer(
  transaction: Transaction,
  result: Result | null,
  revision: string,
  headers: Record<string, string>,
  rejections: Rejections,
): Answer {
  if (result?.outcome === "dead") throw new ProblemError("command-dead", `See /v1/commands/${revision}.`, headers);
  if (result?.outcome === "rejected") {
    const { reason, at } = result;
    const [slug, detail] = rejections[reason];
    if (at === undefined) throw new ProblemError(slug, detail, headers);
    const key = keyAt(transaction, at) ?? "";
    throw new ProblemError(slug, `${at}: ${detail} Nothing was changed.`, headers, { at, key });
  }
  headers["Content-Type"] = JSON_TYPE;
  if (result?.effect !== "committed") {
    return { status: 200, headers, body: `{"id":"${revision}","status":"applied"}\n` };
  }
  headers.ETag = `"${revision}"`;
  const body = { revision, results: tellSteps(transaction, result.steps ?? []) };
  return { status: 200, headers, body: `${JSON.stringify(body)}\n` };
}
