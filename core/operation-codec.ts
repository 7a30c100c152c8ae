/**
 * How conditions and what changes one key are written: as fields of a command's header, or of one part of a transaction.
 */
import type { Condition, Expiry, KeyOperation, Operation } from "./command.ts";

/** It stands in the stored value's attribute line. */
const CONTENT_TYPE_PATTERN = /^[ -~]+$/;
const EXPIRY_PATTERN = /^(?:k|\+?[1-9]\d{0,15})$/;
/** It stands in the stored value's attribute line, too. */
const METADATA_PATTERN = /^[ -~]{1,4096}$/;
const INTEGER_PATTERN = /^(?:0|-?[1-9]\d{0,18})$/;

/** c content type, by increment, x expiry, m metadata. */
export interface OperationFields {
  c?: string;
  by?: string;
  x?: string;
  m?: string;
}

/** The fields of an operation, each after a comma; put together by hand, as the whole header is. */
export function encodeOperation(operation: Operation): string {
  let fields = "";
  if (operation.op === "put") {
    fields += `,"c":${JSON.stringify(operation.contentType)}`;
    if (operation.metadata !== undefined) fields += `,"m":${JSON.stringify(operation.metadata)}`;
  }
  const expiry = expiryOf(operation);
  if (expiry) fields += `,"x":"${encodeExpiry(expiry)}"`;
  if (operation.op === "increment") fields += `,"by":"${operation.by}"`;
  return fields;
}

/** What is wrong with fields that any operation may have, or null. */
export function faultOf({ x, m }: OperationFields): string | null {
  if (x !== undefined && !(typeof x === "string" && EXPIRY_PATTERN.test(x))) return "bad expiry";
  return m !== undefined && !(typeof m === "string" && METADATA_PATTERN.test(m)) ? "bad metadata" : null;
}

/** @returns what is wrong with it, as text, when it is none */
export function decodeOperation(op: string | undefined, fields: OperationFields, value: Buffer): KeyOperation | string {
  switch (op) {
    case "put":
      return decodePut(fields, value);
    case "delete":
      return { op };
    case "increment":
      return typeof fields.by === "string" && INTEGER_PATTERN.test(fields.by)
        ? { op, by: fields.by, ...expiryIn(fields) }
        : "bad increment";
    case "patch":
      return { op, value, ...expiryIn(fields) };
    default:
      return "unknown operation";
  }
}

function decodePut(fields: OperationFields, value: Buffer): KeyOperation | string {
  const { c: contentType, x, m: metadata } = fields;
  if (typeof contentType !== "string" || !CONTENT_TYPE_PATTERN.test(contentType)) return "no content type";
  if (x === undefined && metadata === undefined) return { op: "put", contentType, value };
  return { op: "put", contentType, value, ...expiryIn(fields), ...(metadata !== undefined && { metadata }) };
}

/** What an operation says of its key's expiry; undefined: nothing. */
export function expiryOf(operation: Operation): Expiry | undefined {
  return "expiry" in operation ? operation.expiry : undefined;
}

/** `k` as before, `+<ms>` from when it is applied, `<ms>` since the epoch. Read by the apply function too. */
export function encodeExpiry(expiry: Expiry): string {
  if (expiry === "keep") return "k";
  return "ttlMs" in expiry ? `+${expiry.ttlMs}` : String(expiry.atMs);
}

function expiryIn({ x }: OperationFields): { readonly expiry?: Expiry } {
  if (x === undefined) return {};
  if (x === "k") return { expiry: "keep" };
  return { expiry: x.startsWith("+") ? { ttlMs: Number(x) } : { atMs: Number(x) } };
}

/** `=<id>` must be at that revision, `!<id>` must not; `*` for any. Read by the apply function too. */
export function encodeCondition(condition: Condition): string {
  return (condition.kind === "match" ? "=" : "!") + condition.id;
}

/** @returns null when it is none */
export function decodeCondition(text: string): Condition | null {
  const id = text.slice(1);
  if (!/^(?:\*|\d+-\d+)$/.test(id)) return null;
  if (text.startsWith("=")) return { kind: "match", id };
  return text.startsWith("!") ? { kind: "none-match", id } : null;
}
