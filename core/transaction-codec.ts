/**
 * How a transaction is written in a command's header. Values stand in the entry's body, one after the other, those of
 * conditions first; here are their lengths.
 *
 * q conditions, each `[key, "=<id>" or "!<id>"]` as a command's own condition, or `[key, <length of the value>]`
 * a steps, each {k key, o operation, l length of its value} with the operation's own fields
 */
import { valueIn } from "./command.ts";
import {
  decodeCondition,
  decodeOperation,
  encodeCondition,
  encodeOperation,
  faultOf,
  type OperationFields,
} from "./operation-codec.ts";
import type { Transaction, TransactionCondition, TransactionStep } from "./transaction.ts";

export interface TransactionFields {
  q?: unknown;
  a?: unknown;
}

interface StepFields extends OperationFields {
  k: string;
  o: string;
  l?: number;
}

export function encodeTransaction({ conditions, steps }: Transaction): string {
  const q = conditions.map((condition) => [
    condition.key,
    condition.kind === "value" ? condition.value.byteLength : encodeCondition(condition),
  ]);
  const a = steps.map(({ key, operation }) => {
    const length = valueIn(operation)?.byteLength;
    const value = length === undefined ? "" : `,"l":${length}`;
    return `{"k":${JSON.stringify(key)},"o":"${operation.op}"${value}${encodeOperation(operation)}}`;
  });
  return `,"q":${JSON.stringify(q)},"a":[${a.join(",")}]`;
}

/** Takes values from a body, one after the other. */
class Values {
  readonly #body: Buffer | null;
  #at = 0;

  constructor(body: Buffer | null) {
    this.#body = body;
  }

  /** @returns null when the body does not hold so much */
  take(length: unknown): Buffer | null {
    if (!Number.isSafeInteger(length) || Number(length) < 0) return null;
    if (this.#body === null) return Buffer.alloc(0);
    const end = this.#at + Number(length);
    if (end > this.#body.byteLength) return null;
    const value = this.#body.subarray(this.#at, end);
    this.#at = end;
    return value;
  }

  get exhausted(): boolean {
    return this.#body === null || this.#at === this.#body.byteLength;
  }
}

/**
 * @param body null: it was left away, and every value is empty
 * @returns what is wrong with it, as text, when it is none
 */
export function decodeTransaction({ q, a }: TransactionFields, body: Buffer | null): Transaction | string {
  if (!Array.isArray(q) || !Array.isArray(a)) return "no transaction";
  const values = new Values(body);
  const conditions: TransactionCondition[] = [];
  for (const fields of q) {
    const condition = readCondition(fields, values);
    if (typeof condition === "string") return condition;
    conditions.push(condition);
  }
  const steps: TransactionStep[] = [];
  for (const fields of a) {
    const step = readStep(fields, values);
    if (typeof step === "string") return step;
    steps.push(step);
  }
  if (conditions.length + steps.length === 0) return "an empty transaction";
  if (new Set(steps.map(({ key }) => key)).size < steps.length) return "a key with two steps";
  if (!values.exhausted) return "values of another length";
  return { op: "txn", conditions, steps, value: body ?? Buffer.alloc(0) };
}

function readCondition(fields: unknown, values: Values): TransactionCondition | string {
  if (!Array.isArray(fields) || !isKey(fields[0])) return "bad condition";
  const [key, what] = fields as [string, unknown];
  if (typeof what === "string") {
    const condition = decodeCondition(what);
    return condition ? { key, ...condition } : "bad condition";
  }
  const value = values.take(what);
  return value ? { key, kind: "value", value } : "values of another length";
}

function readStep(fields: unknown, values: Values): TransactionStep | string {
  const step = fields as Partial<StepFields> | null;
  if (typeof step !== "object" || step === null || !isKey(step.k)) return "bad step";
  const fault = faultOf(step);
  if (fault !== null) return fault;
  const value = values.take(step.o === "put" || step.o === "patch" ? step.l : 0);
  if (value === null) return "values of another length";
  const operation = decodeOperation(step.o, step, value);
  return typeof operation === "string" ? operation : { key: step.k, operation };
}

/** The store's JSON reader would refuse the whole batch for what is not Unicode text. */
function isKey(key: unknown): key is string {
  return typeof key === "string" && key !== "" && key.isWellFormed();
}
