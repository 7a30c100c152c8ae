/**
 * A transaction as a client writes it, in JSON:
 *
 *     {"if": [{"key": "a", "revision": "03-1795245173585-0"}, {"key": "b", "exists": false}, {"key": "c", "value": "x"}],
 *      "then": [{"op": "put", "key": "a", "value": "1"}, {"op": "increment", "key": "n", "by": "5"}, {"op": "delete", "key": "c"}]}
 *
 * Values are text, or base64 where `"encoding": "base64"` stands beside them. What is wrong is told with its place. Pure.
 */
import { z } from "zod";
import type { Expiry, KeyOperation } from "../core/command.ts";
import { ID_ZERO, parseRevision } from "../core/entry-id.ts";
import { TRANSACTION_MAX_KEYS, TRANSACTION_MAX_PATCHES } from "../core/limits.ts";
import { partitionOf } from "../core/partition.ts";
import { type Transaction, type TransactionCondition, transactionOf } from "../core/transaction.ts";
import { parseContentType } from "./body.ts";
import { ProblemError } from "./errors.ts";
import { EXPIRY_PARAMETERS, expiryOf } from "./expiry.ts";
import { checkKey } from "./key-path.ts";
import { parseMetadata } from "./metadata.ts";
import { checkPatch } from "./patch.ts";
import { incrementSchema } from "./routes/increment-value.ts";

/** Of this many partitions a key is named where there is more than one. */
const EXAMPLES_MAX = 8;

const value = { value: z.string(), encoding: z.enum(["text", "base64"]).optional() };
const expiry = { ttl: z.number().optional(), expires_at: z.number().optional(), keep_ttl: z.boolean().optional() };

const conditionSchema = z
  .strictObject({
    key: z.string(),
    revision: z.string().optional(),
    not_revision: z.string().optional(),
    exists: z.boolean().optional(),
    value: value.value.optional(),
    encoding: value.encoding,
  })
  .refine(
    ({ revision, not_revision, exists, value: text }) =>
      [revision, not_revision, exists, text].filter((one) => one !== undefined).length === 1,
    "Give one of revision, not_revision, exists and value.",
  )
  .refine(({ value: text, encoding }) => text !== undefined || encoding === undefined, "encoding is for a value.");

const operationSchema = z.discriminatedUnion("op", [
  z.strictObject({
    op: z.literal("put"),
    key: z.string(),
    ...value,
    content_type: z.string().optional(),
    metadata: z.string().optional(),
    ...expiry,
  }),
  z.strictObject({ op: z.literal("delete"), key: z.string() }),
  z.strictObject({ op: z.literal("increment"), key: z.string(), by: z.union([z.string(), z.int()]), ...expiry }),
  z.strictObject({ op: z.literal("patch"), key: z.string(), ...value, ...expiry }),
]);

export const transactionSchema = z.strictObject({
  if: z.array(conditionSchema).max(TRANSACTION_MAX_KEYS).default([]),
  // biome-ignore lint/suspicious/noThenProperty: the contract's word; nobody awaits what was parsed
  then: z.array(operationSchema).max(TRANSACTION_MAX_KEYS).default([]),
});

type GivenCondition = z.infer<typeof conditionSchema>;
type GivenOperation = z.infer<typeof operationSchema>;
type GivenExpiry = { readonly [Name in keyof typeof expiry]?: unknown };

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
  const parsed = transactionSchema.safeParse(parseJson(body));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${(issue?.path ?? []).map((part) => `/${String(part)}`).join("")}: ${issue?.message}`);
  }
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
  const steps = given.then.map((part, index) =>
    inPart(`/then/${index}`, part.key, () => ({ key: part.key, operation: readOperation(part, nowMs) })),
  );
  const conditions = given.if.map((part, index) =>
    inPart(`/if/${index}`, part.key, () => readCondition(part, partition, partitions)),
  );
  return { transaction: transactionOf(conditions, steps), partition };
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

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw invalid("It is a JSON text in UTF-8.");
  }
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
  if (given.value !== undefined) return { key, kind: "value", value: bytesOf(given.value, given.encoding) };
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

function readOperation(given: GivenOperation, nowMs: number): KeyOperation {
  switch (given.op) {
    case "delete":
      return { op: "delete" };
    case "increment":
      return { op: "increment", by: readIncrement(given.by), ...readExpiry(given, nowMs) };
    case "patch": {
      const patch = bytesOf(given.value, given.encoding);
      checkPatch(patch);
      return { op: "patch", value: patch, ...readExpiry(given, nowMs) };
    }
    case "put": {
      const metadata = parseMetadata(given.metadata ?? null);
      return {
        op: "put",
        contentType: parseContentType(given.content_type ?? null),
        value: bytesOf(given.value, given.encoding),
        ...readExpiry(given, nowMs),
        ...(metadata !== undefined && { metadata }),
      };
    }
  }
}

function readIncrement(by: string | number): string {
  const read = incrementSchema.safeParse(String(by));
  if (!read.success) throw invalid("by is an integer of 64 bits.");
  return read.data.toString();
}

/** As the parameters of a single write say it. */
function readExpiry({ ttl, expires_at, keep_ttl }: GivenExpiry, nowMs: number): { readonly expiry?: Expiry } {
  if (ttl === undefined && expires_at === undefined && keep_ttl !== true) return {};
  const read = z.object(EXPIRY_PARAMETERS).safeParse({
    ...(ttl !== undefined && { ttl: String(ttl) }),
    ...(expires_at !== undefined && { expires_at: String(expires_at) }),
    ...(keep_ttl === true && { keep_ttl: "true" }),
  });
  if (!read.success) {
    throw invalid(read.error.issues.map(({ path, message }) => `${String(path[0])} ${message}`).join(" "));
  }
  const found = expiryOf(read.data, nowMs);
  return found === undefined ? {} : { expiry: found };
}

/** @throws ProblemError `invalid-transaction` when it is not what its encoding says */
function bytesOf(text: string, encoding: "text" | "base64" = "text"): Uint8Array {
  if (encoding === "text") {
    // An encoder would put another character in the place of half a pair.
    if (!text.isWellFormed()) throw invalid("The value is not Unicode text.");
    return new TextEncoder().encode(text);
  }
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw invalid("The value is not base64.");
  }
}

function invalid(detail: string): ProblemError {
  return new ProblemError("invalid-transaction", detail);
}
