/**
 * A transaction as a client writes it, in JSON:
 *
 *     {"if": [{"key": "a", "revision": "03-1795245173585-0"}, {"key": "b", "exists": false}, {"key": "c", "value": "x"}],
 *      "then": [{"op": "put", "key": "a", "value": "1"}, {"op": "increment", "key": "n", "by": "5"}, {"op": "delete", "key": "c"}]}
 *
 * Operations and values are told as everywhere (operation-document.ts). What is wrong is told with its place. Pure.
 */
import { z } from "zod";
import { ID_ZERO, parseRevision } from "../core/entry-id.ts";
import { TRANSACTION_MAX_KEYS, TRANSACTION_MAX_PATCHES } from "../core/limits.ts";
import { partitionOf } from "../core/partition.ts";
import { type Transaction, type TransactionCondition, transactionOf } from "../core/transaction.ts";
import { ProblemError } from "./errors.ts";
import { parseJsonText, tellFaults } from "./json-body.ts";
import { elementTextsOf, memberText } from "./json-texts.ts";
import { checkKey } from "./key-path.ts";
import { operationSchema, readOperation, readValue, VALUE_MEMBERS } from "./operation-document.ts";

/** Of this many partitions a key is named where there is more than one. */
const EXAMPLES_MAX = 8;

const conditionSchema = z
  .strictObject({
    key: z.string(),
    revision: z.string().optional(),
    not_revision: z.string().optional(),
    exists: z.boolean().optional(),
    value: VALUE_MEMBERS.value.optional(),
    encoding: VALUE_MEMBERS.encoding,
  })
  .refine(
    ({ revision, not_revision, exists, value: text }) =>
      [revision, not_revision, exists, text].filter((one) => one !== undefined).length === 1,
    "Give one of revision, not_revision, exists and value.",
  )
  .refine(({ value: text, encoding }) => text !== undefined || encoding === undefined, "encoding is for a value.")
  .meta({ id: "Condition" });

export const transactionSchema = z.strictObject({
  if: z.array(conditionSchema).max(TRANSACTION_MAX_KEYS).default([]),
  then: z.array(operationSchema).max(TRANSACTION_MAX_KEYS).default([]),
});

type GivenCondition = z.infer<typeof conditionSchema>;

/** What is needed to read one. */
export interface Reader {
  readonly namespace: string;
  /** How many there are. */
  readonly partitions: number;
  readonly nowMs: number;
}

/**
 * @returns the transaction and the partition of all its keys
 * @throws ProblemError `invalid-transaction`, `cross-partition`, or what is wrong with a part, with its place;
 *   `precondition-failed` when a condition can never be met
 */
export function parseTransaction(
  body: Uint8Array,
  { namespace, partitions, nowMs }: Reader,
): { readonly transaction: Transaction; readonly partition: number } {
  const { text, document } = parseJsonText(body, "invalid-transaction");
  const parsed = transactionSchema.safeParse(document);
  if (!parsed.success) throw invalid(tellFaults(parsed.error, 1, pointerOf));
  const given = parsed.data;
  if (given.if.length + given.then.length === 0) throw invalid("It has neither conditions nor operations.");
  const keys = new Set<string>();
  for (const [list, parts] of [["then", given.then] as const, ["if", given.if] as const]) {
    for (const [index, { key }] of parts.entries()) {
      inPart(`/${list}/${index}`, key, () => checkKey(key));
      keys.add(key);
    }
  }
  refuseTooMuch(given, keys.size);
  const partition = commonPartition(namespace, keys, partitions);
  const textOf = elementTextsOf(() => memberText(text, "then") ?? "");
  const steps = given.then.map((part, index) =>
    inPart(`/then/${index}`, part.key, () => ({
      key: part.key,
      operation: readOperation(part, () => textOf(index), nowMs),
    })),
  );
  const conditions = given.if.map((part, index) =>
    inPart(`/if/${index}`, part.key, () => readCondition(part, partition, partitions)),
  );
  return { transaction: transactionOf(conditions, steps), partition };
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part)}`).join("");
}

function refuseTooMuch({ then: operations }: z.infer<typeof transactionSchema>, keys: number): void {
  const places = new Map<string, number>();
  for (const [index, { key }] of operations.entries()) {
    const first = places.get(key);
    if (first !== undefined)
      throw invalid(`/then/${first} and /then/${index} are of one key: a key has one operation.`);
    places.set(key, index);
  }
  if (keys > TRANSACTION_MAX_KEYS) throw invalid(`A transaction has at most ${TRANSACTION_MAX_KEYS} keys.`);
  if (operations.filter(({ op }) => op === "patch").length > TRANSACTION_MAX_PATCHES) {
    throw invalid(`A transaction has at most ${TRANSACTION_MAX_PATCHES} patches.`);
  }
}

/** @throws ProblemError `cross-partition`, which says where the keys are and how they come together */
function commonPartition(namespace: string, keys: Iterable<string>, partitions: number): number {
  const found = new Map<number, string>();
  for (const key of keys) {
    const partition = partitionOf(namespace, key, partitions);
    if (!found.has(partition)) found.set(partition, key);
  }
  const [first] = found.keys();
  if (first !== undefined && found.size === 1) return first;
  const examples = [...found]
    .slice(0, EXAMPLES_MAX)
    .map(([partition, key]) => `${JSON.stringify(key)} in ${partition}`);
  throw new ProblemError(
    "cross-partition",
    `The keys are in ${found.size} partitions: ${examples.join(", ")}${found.size > EXAMPLES_MAX ? ", …" : ""}. Give all of ` +
      'them the same {tag}, as in "{order-7}/items" and "{order-7}/total", or keep them in a pinned namespace, whose name begins with @.',
  );
}

/** Whatever is wrong with a part, it is the transaction that is not valid, and the part is named. */
function inPart<T>(at: string, key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const slug = error.slug === "precondition-failed" ? error.slug : "invalid-transaction";
    throw new ProblemError(slug, `${at}: ${error.message}`, {}, { at, key });
  }
}

/** @param partition of the key: no other has its revisions */
function readCondition(given: GivenCondition, partition: number, partitions: number): TransactionCondition {
  const { key } = given;
  if (given.value !== undefined) return { key, kind: "value", value: readValue(given.value, given.encoding) };
  const text = given.revision ?? given.not_revision;
  if (text === undefined) return { key, kind: given.exists === true ? "match" : "none-match", id: "*" };
  const revision = parseRevision(text, partitions);
  if (revision === null)
    throw new ProblemError("invalid-revision", "Expected a revision, as an ETag has it in quotes.");
  const isOfKey = revision.partition === partition;
  if (given.revision === undefined) return { key, kind: "none-match", id: isOfKey ? revision.id : ID_ZERO };
  if (!isOfKey) throw new ProblemError("precondition-failed", "That revision is not one of this key.");
  return { key, kind: "match", id: revision.id };
}

function invalid(detail: string): ProblemError {
  return new ProblemError("invalid-transaction", detail);
}
