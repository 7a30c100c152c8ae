/**
 * A command as apply.lua reads it.
 */
import type { Entry } from "../codec.ts";
import { type Command, valueIn } from "../command.ts";
import { type EntryId, idTimeMs } from "../entry-id.ts";
import { ACCEPT_LEAD_MAX_MS } from "../limits.ts";
import { encodeCondition, encodeExpiry, expiryOf } from "../operation-codec.ts";
import { keysOf, type Transaction } from "../transaction.ts";

/**
 * Id, ordinal, operation, producer, sequence, argument, condition, awaited, index, key, header, length, time; and where
 * they say something parking, dead letter, forced, expiry, metadata, idempotency key, fingerprint.
 */
export type CommandTuple = [
  ...[EntryId, number, string, string, number, Argument, string, 0 | 1, number, string, string, number, number],
  ...(string | number)[],
];

/** What an operation carries beside its value. */
export type Argument = string | TransactionArgument;

/** How many keys the command has, how many of them it changes, conditions, steps: see transactions.lua. */
type TransactionArgument = readonly [
  number,
  number,
  readonly (readonly [number, string | number])[],
  readonly (readonly [string, string, string, number, string?, string?])[],
];

/** @param index number of the namespace's index key, or 0 */
export function tupleOf(entry: Entry & { kind: "command" }, index: number, length: number): CommandTuple {
  const { command, stamp } = entry;
  const tuple: CommandTuple = [
    entry.id,
    entry.ordinal,
    command.operation.op,
    stamp.producer,
    stamp.sequence,
    argumentOf(command),
    command.condition ? encodeCondition(command.condition) : "",
    command.awaited ? 1 : 0,
    index,
    command.key,
    entry.header,
    length,
    // An api whose clock is ahead must not let keys expire.
    Math.min(command.acceptedMs, idTimeMs(entry.id) + ACCEPT_LEAD_MAX_MS),
  ];
  pushRest(tuple, command);
  return tuple;
}

/** What only some commands say: nothing at all for most. */
function pushRest(tuple: CommandTuple, { operation, replays, parking, idempotency }: Command): void {
  const expiry = expiryOf(operation);
  const metadata = operation.op === "put" ? operation.metadata : undefined;
  const settles = operation.op === "discard" ? operation.letter : replays?.letter;
  const more = expiry !== undefined || metadata !== undefined || idempotency !== undefined;
  if (settles !== undefined) tuple.push("", settles, replays?.force ? 1 : 0);
  else if (more) tuple.push(parking === "block" ? parking : "", "", 0);
  else if (parking === "block") tuple.push(parking);
  if (more) tuple.push(expiry ? encodeExpiry(expiry) : "", metadata ?? "");
  if (idempotency) tuple.push(idempotency.key, idempotency.fingerprint);
}

/** A put carries its content type, an increment its step, a transaction what it is made of. */
export function argumentOf(command: Pick<Command, "key" | "operation">): Argument {
  const { operation } = command;
  switch (operation.op) {
    case "put":
      return operation.contentType;
    case "increment":
      return operation.by;
    case "txn":
      return transactionArgument(operation, keysOf(command));
    case "delete":
    case "patch":
    case "expire":
    case "discard":
      return "";
  }
}

function transactionArgument({ conditions, steps }: Transaction, keys: readonly string[]): TransactionArgument {
  const numbers = new Map(keys.map((key, index) => [key, index + 1]));
  return [
    keys.length,
    steps.length,
    conditions.map((condition) => [
      numbers.get(condition.key) ?? 0,
      condition.kind === "value" ? condition.value.byteLength : encodeCondition(condition),
    ]),
    steps.map(({ key, operation }) => {
      const expiry = expiryOf(operation);
      const metadata = operation.op === "put" ? operation.metadata : undefined;
      const length = valueIn(operation)?.byteLength ?? 0;
      const argument =
        operation.op === "put" ? operation.contentType : operation.op === "increment" ? operation.by : "";
      if (expiry === undefined && metadata === undefined) return [key, operation.op, argument, length];
      return [key, operation.op, argument, length, expiry ? encodeExpiry(expiry) : "", metadata ?? ""];
    }),
  ];
}
