/**
 * A transaction: conditions on keys, and changes to keys, of one namespace and one partition. As etcd's Txn, without an else.
 */
import { type Command, type Condition, type KeyOperation, valueIn } from "./command.ts";

/** One key's change in a transaction. */
export interface TransactionStep {
  readonly key: string;
  readonly operation: KeyOperation;
}

/** What must be true of a key for a transaction to be applied: its revision as in {@link Condition}, or its value's bytes. */
export type TransactionCondition =
  | ({ readonly key: string } & Condition)
  | { readonly key: string; readonly kind: "value"; readonly value: Uint8Array };

/**
 * Changes to several keys of one namespace and one partition: all are made when every condition is met and every change fits
 * its key, else none. Made by {@link transactionOf}.
 */
export interface Transaction {
  readonly op: "txn";
  readonly conditions: readonly TransactionCondition[];
  /** Of as many keys. */
  readonly steps: readonly TransactionStep[];
  /** The values of conditions and steps, one after the other: theirs are parts of it. */
  readonly value: Uint8Array;
}

/** Puts the values of a transaction's parts together. */
export function transactionOf(
  conditions: readonly TransactionCondition[],
  steps: readonly TransactionStep[],
): Transaction {
  const values = [
    ...conditions.map((condition) => (condition.kind === "value" ? condition.value : null)),
    ...steps.map(({ operation }) => valueIn(operation)),
  ].filter((value) => value !== null);
  const whole = new Uint8Array(values.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const value of values) {
    whole.set(value, at);
    at += value.byteLength;
  }
  return { op: "txn", conditions, steps, value: whole };
}

/** The keys that a command changes, if it is applied. */
export function changedKeys({ key, operation }: Pick<Command, "key" | "operation">): readonly string[] {
  return operation.op === "txn" ? operation.steps.map((step) => step.key) : [key];
}

/** The keys that a command names: those that it changes, then those that it only looks at. */
export function keysOf({ key, operation }: Pick<Command, "key" | "operation">): readonly string[] {
  if (operation.op !== "txn") return [key];
  return [...new Set([...operation.steps, ...operation.conditions].map((part) => part.key))];
}
