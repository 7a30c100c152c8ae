/**
 * How a command is written in the log: two fields an entry, `v1` and `b`.
 *
 * `v1` is `<ordinal> <header>`: the append function puts the partition's dense ordinal (1, 2, 3 …) before a JSON header
 * made here. `b` holds the value's bytes as they came. The field's name is the schema's version: a process that meets a
 * newer one holds the partition for a newer process instead of guessing. Field names repeat in every entry, and Redis
 * stores a repeated set of names once.
 *
 * Header: p producer, s sequence, t accepted ms, o operation, n namespace, k key, c content type, by increment,
 * if condition, x expiry, m metadata, q and a conditions and steps of a transaction (see transaction-codec.ts), ik and fp idempotency key and fingerprint, w awaited, tp traceparent, ts tracestate, bg baggage, pp and ps the producer's name before and what was acknowledged under it, pk parking, dl id of the dead letter that is replayed or discarded, f forced.
 * A replay has `replay` for its operation and what it does under r: whoever does not know of replays must not take it
 * for a write like any other. A discard may be of a letter that names no key: then n and k are empty.
 */
import { type Command, type Operation, type Parking, valueIn } from "./command.ts";
import type { EntryId } from "./entry-id.ts";
import {
  decodeCondition,
  decodeOperation,
  encodeCondition,
  encodeOperation,
  faultOf,
  type OperationFields,
} from "./operation-codec.ts";
import { isTraceparent } from "./trace-context.ts";
import { decodeTransaction, encodeTransaction, type TransactionFields } from "./transaction-codec.ts";

export const HEADER_FIELD = "v1";

const NOTHING = Buffer.alloc(0);
const VERSION_PATTERN = /^v\d+$/;
/** Beside producers' names the hashes that hold them have fields of their own, which begin with @. */
const PRODUCER_PATTERN = /^[A-Za-z0-9._-]{1,64}$/;
const ID_PATTERN = /^(?:0|[1-9]\d{0,15})-(?:0|[1-9]\d{0,15})$/;
const HASH_PATTERN = /^[A-Za-z0-9_-]{22}$/;

/** Position of a command in its producer's own count, per partition. */
export interface ProducerStamp {
  readonly producer: string;
  readonly sequence: number;
}

/** One entry of the log as read: a command, or what is wrong with it. */
export type Entry =
  | {
      readonly kind: "command";
      readonly id: EntryId;
      /** Dense position in the partition's log, from 1. */
      readonly ordinal: number;
      readonly stamp: ProducerStamp;
      readonly command: Command;
      /** The JSON header as it stands in the log, for the dead letter. */
      readonly header: string;
    }
  /** Cannot be understood by any version: parked. `ordinal` is 0 when the append function did not write it. */
  | {
      readonly kind: "malformed";
      readonly id: EntryId;
      readonly ordinal: number;
      readonly reason: string;
      readonly header: string;
      readonly body: Buffer;
    }
  /** Written by a newer version: held for a newer process. */
  | { readonly kind: "unsupported"; readonly id: EntryId; readonly version: string };

interface Header extends OperationFields, TransactionFields {
  p: string;
  s: number;
  t: number;
  o: Operation["op"] | "replay";
  r?: Operation["op"];
  n: string;
  k: string;
  if?: string;
  ik?: string;
  fp?: string;
  w?: 1;
  tp?: string;
  ts?: string;
  bg?: string;
  pk?: Parking;
  dl?: string;
  f?: 1;
}

/**
 * The header of a command for the append function. Put together by hand, because it is on the way of every write and
 * takes half the time of writing out an object.
 */
export function encodeHeader(
  command: Command,
  producer: string,
  sequence: number,
  predecessor?: ProducerStamp,
): string {
  const { operation, condition, traceparent, tracestate, baggage, replays } = command;
  const before = predecessor ? `"pp":"${predecessor.producer}","ps":${predecessor.sequence},` : "";
  let header =
    `{"p":"${producer}","s":${sequence},${before}"t":${command.acceptedMs},"o":"${replays ? "replay" : operation.op}",` +
    `"n":${JSON.stringify(command.namespace)},"k":${JSON.stringify(command.key)}`;
  if (operation.op === "txn") header += encodeTransaction(operation);
  else header += encodeOperation(operation);
  if (condition) header += `,"if":"${encodeCondition(condition)}"`;
  // A replay is told apart from a repeat of its client's request.
  if (command.idempotency && !replays)
    header += `,"ik":"${command.idempotency.key}","fp":"${command.idempotency.fingerprint}"`;
  if (command.awaited) header += ',"w":1';
  if (traceparent) header += `,"tp":"${traceparent}"`;
  if (tracestate) header += `,"ts":${JSON.stringify(tracestate)}`;
  if (baggage) header += `,"bg":${JSON.stringify(baggage)}`;
  if (command.parking === "block") header += ',"pk":"block"';
  if (replays) header += `,"r":"${operation.op}","dl":"${replays.letter}"${replays.force ? ',"f":1' : ""}`;
  if (operation.op === "discard") header += `,"dl":"${operation.letter}"`;
  return `${header}}`;
}

/** The value's bytes, as the Redis client takes them: it would write any other typed array as text. */
export function bodyOf(command: Command): Buffer {
  const value = valueIn(command.operation);
  return value === null ? NOTHING : bytes(value);
}

/**
 * Reads one entry of the log.
 * @param fields names and values in turn, as XRANGE gives them
 * @param bodiless its body was left away: values are empty then
 */
export function decodeEntry(id: EntryId, fields: readonly Buffer[], bodiless = false): Entry {
  const [name = NOTHING, value = NOTHING, , body = NOTHING] = fields;
  if (!isHeaderField(name) || fields.length !== 4) {
    const version = name.toString();
    if (version !== HEADER_FIELD && VERSION_PATTERN.test(version)) return { kind: "unsupported", id, version };
    return { kind: "malformed", id, ordinal: 0, reason: "not a command", header: summarize(fields), body: NOTHING };
  }
  const line = value.toString();
  const space = line.indexOf(" ");
  const ordinal = Number(line.slice(0, space));
  const header = line.slice(space + 1);
  if (space < 1 || !Number.isSafeInteger(ordinal) || ordinal < 1) {
    return { kind: "malformed", id, ordinal: 0, reason: "no ordinal", header: line, body };
  }
  const parsed = parseHeader(header);
  if (typeof parsed === "string") return { kind: "malformed", id, ordinal, reason: parsed, header, body };
  const operation = operationOf(parsed, bodiless ? null : body);
  if (typeof operation === "string") return { kind: "malformed", id, ordinal, reason: operation, header, body };
  const condition = parsed.if === undefined ? undefined : decodeCondition(parsed.if);
  if (condition === null) return { kind: "malformed", id, ordinal, reason: "bad condition", header, body };
  // No spreads: this runs a hundred thousand times a second.
  const command: { -readonly [Field in keyof Command]: Command[Field] } = {
    namespace: parsed.n,
    key: parsed.k,
    operation,
    awaited: parsed.w === 1,
    acceptedMs: parsed.t,
  };
  if (condition) command.condition = condition;
  if (parsed.tp && isTraceparent(parsed.tp)) command.traceparent = parsed.tp;
  if (parsed.ts) command.tracestate = parsed.ts;
  if (parsed.bg) command.baggage = parsed.bg;
  if (parsed.ik && parsed.fp) command.idempotency = { key: parsed.ik, fingerprint: parsed.fp };
  if (parsed.pk === "block") command.parking = parsed.pk;
  if (parsed.o === "replay" && parsed.dl) command.replays = { letter: parsed.dl, force: parsed.f === 1 };
  return { kind: "command", id, ordinal, stamp: { producer: parsed.p, sequence: parsed.s }, header, command };
}

/** Every entry's first field, told without making a string of it. */
function isHeaderField(name: Buffer): boolean {
  return name.length === 2 && name[0] === 0x76 && name[1] === 0x31;
}

function parseHeader(json: string): Header | string {
  let header: Partial<Header> | null;
  try {
    header = JSON.parse(json) as Partial<Header> | null;
  } catch {
    return "header is not JSON";
  }
  if (typeof header !== "object" || header === null) return "header is not an object";
  if (typeof header.p !== "string" || !PRODUCER_PATTERN.test(header.p)) return "no producer";
  if (!Number.isSafeInteger(header.s) || Number(header.s) < 1 || !Number.isSafeInteger(header.t))
    return "no sequence or accept time";
  if (typeof header.n !== "string" || typeof header.k !== "string") return "no namespace or key";
  if ((header.n === "" || header.k === "") && header.o !== "discard") return "empty namespace or key";
  // The store's JSON reader would refuse the whole batch.
  if (!`${header.n}/${header.k}`.isWellFormed()) return "namespace or key is not Unicode text";
  if (!(isTextOrAbsent(header.tp) && isTextOrAbsent(header.ts) && isTextOrAbsent(header.bg)))
    return "bad trace context";
  if (!isTextOrAbsent(header.if)) return "bad condition";
  const fault = faultOf(header);
  if (fault !== null) return fault;
  if (header.ik !== undefined && !(HASH_PATTERN.test(header.ik) && HASH_PATTERN.test(header.fp ?? "")))
    return "bad idempotency key";
  if (header.pk !== undefined && header.pk !== "skip" && header.pk !== "block") return "unknown parking";
  if (header.o === "replay" || header.o === "discard") {
    if (typeof header.dl !== "string" || !ID_PATTERN.test(header.dl)) return "no dead letter";
  }
  return header as Header;
}

function isTextOrAbsent(field: unknown): boolean {
  return field === undefined || typeof field === "string";
}

function operationOf(header: Header, value: Buffer | null): Operation | string {
  const op = header.o === "replay" ? header.r : header.o;
  switch (op) {
    case "txn":
      return decodeTransaction(header, value);
    case "expire":
      return header.o === "expire" ? { op } : "unknown operation";
    case "discard":
      return header.o === "discard" && header.dl !== undefined ? { op, letter: header.dl } : "unknown operation";
    default:
      return decodeOperation(op, header, value ?? NOTHING);
  }
}

function bytes(array: Uint8Array): Buffer {
  return Buffer.isBuffer(array) ? array : Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** A foreign entry's fields, kept for whoever reads the dead letter. */
function summarize(fields: readonly Buffer[]): string {
  return JSON.stringify(fields.map((field) => field.toString("utf8", 0, 1024)));
}
