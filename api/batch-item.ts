/**
 * One item of a batch: what a client may say, and the write that it is. The same rules as for a write of its own.
 *
 * A value is given in one of three ways, so that nothing has to be guessed: `value`, a text; `base64`, bytes; `json`, any
 * JSON, which is kept as it is written. `patch` and `metadata` are kept as they are written, too.
 */
import { z } from "zod";
import { decodeBase64 } from "../core/base64.ts";
import type { Expiry, Operation } from "../core/command.ts";
import { VALUE_MAX_BYTES } from "../core/limits.ts";
import { partitionOf } from "../core/partition.ts";
import { parseContentType, VALUE_BOUND } from "./body.ts";
import type { AppDependencies, CommandTarget } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import { EXPIRY_PARAMETERS, expiryOf } from "./expiry.ts";
import { checkIdempotencyKey } from "./idempotency.ts";
import { memberText } from "./json-texts.ts";
import { checkKey, pathOfKey } from "./key-path.ts";
import { parseMetadata } from "./metadata.ts";
import { checkPatch } from "./patch.ts";
import { preconditionOf, type WritePrecondition } from "./precondition.ts";
import { incrementSchema } from "./routes/increment-value.ts";

const common = {
  key: z.string(),
  /** A revision, or `*`. */
  if_match: z.string().optional(),
  if_none_match: z.string().optional(),
  idempotency_key: z.string().optional(),
};

const expiry = {
  /** Seconds. */
  ttl: z.number().optional(),
  /** Seconds since the epoch. */
  expires_at: z.number().optional(),
  keep_ttl: z.literal(true).optional(),
};

export const batchItemSchema = z.discriminatedUnion("op", [
  z.strictObject({
    op: z.literal("put"),
    ...common,
    ...expiry,
    value: z.string().optional(),
    base64: z.string().optional(),
    json: z.unknown().optional(),
    content_type: z.string().optional(),
    metadata: z.unknown().optional(),
  }),
  z.strictObject({ op: z.literal("delete"), ...common }),
  z.strictObject({
    op: z.literal("increment"),
    ...common,
    ...expiry,
    /** As text beyond 2^53. */
    by: z.union([z.string(), z.int()]),
  }),
  z.strictObject({ op: z.literal("patch"), ...common, ...expiry, patch: z.unknown() }),
]);

type Given = z.output<typeof batchItemSchema>;
type GivenOf<Op extends Given["op"]> = Extract<Given, { op: Op }>;

/** A write as {@link sayWrite} takes it, but for the name that its idempotency key has in the batch. */
export interface BatchItem {
  readonly target: CommandTarget;
  readonly operation: Operation;
  readonly precondition: WritePrecondition;
  readonly idempotencyKey: string | null;
}

const encoder = new TextEncoder();
const TEXT_TYPE = "text/plain;charset=utf-8";
const JSON_TYPE = "application/json";

/**
 * @param document the item, parsed
 * @param text the same as it is written
 * @throws ProblemError
 */
export function readBatchItem(
  deps: Pick<AppDependencies, "partitions" | "now">,
  namespace: string,
  document: unknown,
  text: () => string,
): BatchItem {
  const parsed = batchItemSchema.safeParse(document);
  if (!parsed.success) throw invalid(describeIssue(parsed.error.issues));
  const given = parsed.data;
  const key = checkKey(given.key);
  if (key === "." || key === "..")
    throw new ProblemError("invalid-key", "No path can name it: URL parsers resolve it.");
  const partition = partitionOf(namespace, key, deps.partitions);
  return {
    target: { namespace, key, partition, path: pathOfKey(namespace, key) },
    operation: operationOf(given, text, deps.now()),
    precondition: preconditionIn(given, partition, deps.partitions),
    idempotencyKey: given.idempotency_key === undefined ? null : checkIdempotencyKey(given.idempotency_key),
  };
}

function operationOf(given: Given, text: () => string, nowMs: number): Operation {
  switch (given.op) {
    case "put": {
      const written = memberOf(text, given, "metadata");
      const metadata = written === undefined ? undefined : parseMetadata(inAscii(written));
      return {
        op: "put",
        ...valueIn(given, text),
        ...expiryIn(given, nowMs),
        ...(metadata !== undefined && { metadata }),
      };
    }
    case "delete":
      return { op: "delete" };
    case "increment": {
      const by = incrementSchema.safeParse(String(given.by));
      if (!by.success) {
        throw new ProblemError("invalid-increment", "by is an integer of 64 bits; as text, where it is beyond 2^53.");
      }
      return { op: "increment", by: by.data.toString(), ...expiryIn(given, nowMs) };
    }
    case "patch": {
      const patch = memberOf(text, given, "patch");
      if (patch === undefined) throw invalid("patch: is missing");
      const value = encoder.encode(patch);
      checkPatch(value);
      return { op: "patch", value, ...expiryIn(given, nowMs) };
    }
  }
}

function valueIn(given: GivenOf<"put">, text: () => string): { contentType: string; value: Uint8Array } {
  const ways = (["value", "base64", "json"] as const).filter((way) => Object.hasOwn(given, way));
  const [way, second] = ways;
  if (way === undefined || second !== undefined) throw invalid("Give one of value, base64 and json.");
  const value = bytesOf(given, way, text);
  if (value.byteLength > VALUE_MAX_BYTES) throw VALUE_BOUND.problem();
  const type = { value: TEXT_TYPE, base64: null, json: JSON_TYPE }[way];
  return { contentType: parseContentType(given.content_type ?? type), value };
}

function bytesOf(given: GivenOf<"put">, way: "value" | "base64" | "json", text: () => string): Uint8Array {
  if (way === "base64") {
    const bytes = decodeBase64(given.base64 ?? "");
    if (bytes === null) throw invalid("base64: is not base64 with its padding");
    return bytes;
  }
  const written = way === "json" ? (memberOf(text, given, way) ?? "") : (given.value ?? "");
  // An escape may name half a character.
  if (!written.isWellFormed()) throw invalid("value: is not Unicode text");
  return encoder.encode(written);
}

type ExpiryMembers = { readonly [Name in keyof typeof expiry]?: z.output<(typeof expiry)[Name]> };

function expiryIn(given: ExpiryMembers, nowMs: number): { expiry?: Expiry } {
  const { ttl, expires_at, keep_ttl } = given;
  const read = z.object(EXPIRY_PARAMETERS).safeParse({
    ...(ttl !== undefined && { ttl: String(ttl) }),
    ...(expires_at !== undefined && { expires_at: String(expires_at) }),
    ...(keep_ttl === true && { keep_ttl: "true" }),
  });
  if (!read.success) throw new ProblemError("invalid-expiry", describeIssue(read.error.issues));
  const found = expiryOf(read.data, nowMs);
  return found === undefined ? {} : { expiry: found };
}

function preconditionIn(given: Given, partition: number, partitions: number): WritePrecondition {
  const { if_match: match, if_none_match: noneMatch } = given;
  if (match !== undefined && noneMatch !== undefined) {
    throw new ProblemError("invalid-precondition", "Give if_match or if_none_match, not both.");
  }
  const revision = match ?? noneMatch;
  if (revision === undefined) return { impossible: false };
  const kind = match === undefined ? "none-match" : "match";
  const precondition = preconditionOf(kind, revision, partition, partitions);
  if (precondition) return precondition;
  throw new ProblemError("invalid-precondition", "Expected * or one revision, as an item's result names it.");
}

/** What a member is as it is written; undefined where it is not there. */
function memberOf(text: () => string, given: Given, name: string): string | undefined {
  return Object.hasOwn(given, name) ? memberText(text(), name) : undefined;
}

/** JSON can say everything in ASCII; what is no printable character stands in a text or between tokens. */
function inAscii(json: string): string {
  return json
    .replaceAll(/[\t\r\n]/g, " ")
    .replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function describeIssue([issue]: readonly z.core.$ZodIssue[]): string {
  const path = issue?.path.join(".") ?? "";
  return `${path === "" ? "" : `${path}: `}${issue?.message ?? ""}`;
}

function invalid(detail: string): ProblemError {
  return new ProblemError("invalid-operation", detail);
}
