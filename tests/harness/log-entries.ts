/** Log entries for tests that hand them to the store directly: one producer, one partition, ids of one millisecond. */
import { encodeHeader } from "../../core/codec.ts";
import type { Command } from "../../core/command.ts";
import type { ApplicableEntry, Watermark } from "../../core/functions/apply.ts";
import { changedKeys, type TransactionCondition, transactionOf } from "../../core/transaction.ts";

/** Entries as the log would hold them: ordinal and sequence count from the first. */
export function entries(commands: readonly Partial<Command>[], first = 1, producer = "p"): ApplicableEntry[] {
  return commands.map((said, index) => {
    const operation = { op: "delete" } as const;
    const command: Command = { namespace: "n", key: "k", operation, awaited: false, acceptedMs: 1, ...said };
    const sequence = first + index;
    // Only transactions are looked into by their headers.
    const isTransaction = command.operation.op === "txn";
    const header = isTransaction ? encodeHeader(command, producer, sequence) : `{"o":"${command.operation.op}"}`;
    return {
      kind: "command",
      id: `1000-${sequence}`,
      ordinal: sequence,
      stamp: { producer, sequence },
      header,
      command,
    };
  });
}

export const put = (key: string, value: string): Partial<Command> => ({
  key,
  operation: { op: "put", contentType: "text/plain", value: Buffer.from(value) },
});
export const increment = (key: string, by = "1"): Partial<Command> => ({ key, operation: { op: "increment", by } });
/** Conditions, and the changes that these commands make, at once. */
export const txn = (
  conditions: readonly TransactionCondition[],
  ...changes: readonly Partial<Command>[]
): Partial<Command> => {
  const steps = changes.map(({ key = "k", operation = { op: "delete" } }) => {
    if (operation.op === "txn" || operation.op === "expire" || operation.op === "discard")
      throw new Error(operation.op);
    return { key, operation };
  });
  const operation = transactionOf(conditions, steps);
  return { operation, key: changedKeys({ key: "", operation })[0] ?? conditions[0]?.key ?? "k" };
};
export const is = (key: string, id: string): TransactionCondition => ({ key, kind: "match", id });
export const isNot = (key: string, id: string): TransactionCondition => ({ key, kind: "none-match", id });
export const holds = (key: string, value: string | Buffer): TransactionCondition => ({
  key,
  kind: "value",
  value: Buffer.from(value as string),
});
export const at = (ordinal: number): Watermark => ({ id: `1000-${ordinal}`, ordinal });
