/**
 * What of an `Idempotency-Key` and its request travels with a command: two hashes, whatever the client chose. Pure.
 *
 * The fingerprint is of what the request means, not of how it came: the same write is the same alone and in a batch. All
 * processes must compute the same, also while an older version runs beside a newer one: what is hashed is spelled out.
 */
import { createHash } from "node:crypto";
import { type Command, type Idempotency, valueIn } from "./command.ts";
import type { EntryId } from "./entry-id.ts";
import { argumentOf } from "./functions/command-tuple.ts";
import type { Grade } from "./grade.ts";
import { encodeCondition, encodeExpiry, expiryOf } from "./operation-codec.ts";
import { keysOf } from "./transaction.ts";

/** What the store knows of an idempotency key. */
export interface First {
  /** The command that came with it first. */
  readonly id: EntryId;
  readonly fingerprint: string;
}

/** What a partition of the store holds for idempotency keys. */
export interface IdempotencyCount {
  readonly keys: number;
  /** Time of the oldest outcome that is kept, milliseconds since the epoch; keys go together with their outcomes. */
  readonly oldestMs: number;
}

/**
 * @param scope whose key it is, and for what: equal only for repeats of one request
 * @param asked the grade that the request names, if it does
 */
export function idempotencyOf(
  scope: readonly (string | number)[],
  command: Pick<Command, "key" | "operation" | "condition">,
  asked: Grade | null,
): Idempotency {
  const { operation, condition } = command;
  const expiry = expiryOf(operation);
  const said = [
    operation.op,
    operation.op === "txn" ? [keysOf(command), argumentOf(command)] : argumentOf(command),
    expiry ? encodeExpiry(expiry) : "",
    (operation.op === "put" && operation.metadata) || "",
    condition ? encodeCondition(condition) : "",
    asked ?? "",
  ];
  return { key: hash(scope), fingerprint: hash(said, valueIn(operation)) };
}

/** 128 bits, base64url. */
function hash(parts: readonly unknown[], bytes: Uint8Array | null = null): string {
  const sum = createHash("sha256").update(JSON.stringify(parts));
  if (bytes !== null) sum.update(bytes);
  return sum.digest().subarray(0, 16).toString("base64url");
}
