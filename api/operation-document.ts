/**
 * One operation on a key as a client writes it in JSON: the same in a batch and in a transaction.
 *
 * A value is told as listing and watching tell it, by `value` and `encoding`; or it is `json`, any JSON. That, a `patch` and
 * `metadata` are kept as they are written. Pure.
 */
import { z } from "zod";
import { decodeBase64 } from "../core/base64.ts";
import type { Expiry, KeyOperation } from "../core/command.ts";
import { VALUE_MAX_BYTES } from "../core/limits.ts";
import { parseContentType, VALUE_BOUND } from "./body.ts";
import { ProblemError } from "./errors.ts";
import { EXPIRY_PARAMETERS, expiryOf } from "./expiry.ts";
import { memberText } from "./json-texts.ts";
import { JSON_TYPE } from "./media-type.ts";
import { parseMetadata } from "./metadata.ts";
import { checkPatch } from "./patch.ts";
import { incrementSchema } from "./routes/increment-value.ts";

const TEXT_TYPE = "text/plain;charset=utf-8";

/** A value, wherever it stands in a document. */
export const VALUE_MEMBERS = {
  value: z.string(),
  encoding: z.enum(["text", "base64"]).optional().describe("What `value` is; text when it is left out."),
};

const KEY = { key: z.string() };

const EXPIRY = {
  ttl: z.number().optional().describe("Seconds to live, from when the operation is applied."),
  expires_at: z.number().optional().describe("When the key expires, in seconds since the epoch."),
  keep_ttl: z.boolean().optional().describe("The key goes on expiring when it did before."),
};

const putSchema = z
  .strictObject({
    op: z.literal("put"),
    ...KEY,
    value: VALUE_MEMBERS.value.optional(),
    encoding: VALUE_MEMBERS.encoding,
    json: z.unknown().optional().describe("Instead of `value`: any JSON, kept as it is written."),
    content_type: z
      .string()
      .optional()
      .describe(
        `Left out: \`${TEXT_TYPE}\` of a text, \`application/octet-stream\` of base64, \`${JSON_TYPE}\` of json.`,
      ),
    metadata: z.unknown().optional().describe("Any JSON, kept as it is written."),
    ...EXPIRY,
  })
  .refine((put) => (put.value === undefined) === Object.hasOwn(put, "json"), "Give one of value and json.")
  .refine(({ value, encoding }) => value !== undefined || encoding === undefined, "encoding is for a value.")
  .meta({ id: "PutOperation" });

/** The same members, as the parameters of a single write. */
const expirySchema = z.object(EXPIRY_PARAMETERS);

const deleteSchema = z.strictObject({ op: z.literal("delete"), ...KEY }).meta({ id: "DeleteOperation" });

const incrementOperationSchema = z
  .strictObject({
    op: z.literal("increment"),
    ...KEY,
    by: z.union([z.string(), z.int()]).describe("An integer of 64 bits; as text, where it is beyond 2^53."),
    ...EXPIRY,
  })
  .meta({ id: "IncrementOperation" });

const patchSchema = z
  .strictObject({
    op: z.literal("patch"),
    ...KEY,
    patch: z
      .unknown()
      .refine((patch) => patch !== undefined, "is missing")
      .describe("A JSON merge patch (RFC 7396), kept as it is written."),
    ...EXPIRY,
  })
  .meta({ id: "PatchOperation" });

export const operationSchema = z
  .discriminatedUnion("op", [putSchema, deleteSchema, incrementOperationSchema, patchSchema])
  .meta({ id: "Operation" });

export type GivenOperation = z.output<typeof operationSchema>;
type GivenPut = Extract<GivenOperation, { op: "put" }>;
type GivenExpiry = { readonly [Name in keyof typeof EXPIRY]?: z.output<(typeof EXPIRY)[Name]> };

const encoder = new TextEncoder();

/**
 * @param text the operation as it is written
 * @throws ProblemError what is wrong with it; `invalid-operation` where no other type says it
 */
export function readOperation(given: GivenOperation, text: () => string, nowMs: number): KeyOperation {
  switch (given.op) {
    case "put": {
      const metadata = Object.hasOwn(given, "metadata") ? parseMetadata(inAscii(written(text, "metadata"))) : undefined;
      return {
        op: "put",
        ...contentOf(given, text),
        ...readExpiry(given, nowMs),
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
      return { op: "increment", by: by.data.toString(), ...readExpiry(given, nowMs) };
    }
    case "patch": {
      const value = encoder.encode(written(text, "patch"));
      checkPatch(value);
      return { op: "patch", value, ...readExpiry(given, nowMs) };
    }
  }
}

/** @throws ProblemError `invalid-operation` when it is not what its encoding says */
export function readValue(text: string, encoding: "text" | "base64" = "text"): Uint8Array {
  if (encoding === "base64") {
    const bytes = decodeBase64(text);
    if (bytes === null) throw invalid("value: is not base64 with its padding");
    return bytes;
  }
  // An escape may name half a character, and an encoder would put another in its place.
  if (!text.isWellFormed()) throw invalid("value: is not Unicode text");
  return encoder.encode(text);
}

function contentOf(given: GivenPut, text: () => string): { contentType: string; value: Uint8Array } {
  const { value: said, encoding } = given;
  const value = said === undefined ? encoder.encode(written(text, "json")) : readValue(said, encoding);
  if (value.byteLength > VALUE_MAX_BYTES) throw VALUE_BOUND.problem();
  const textType = encoding === "base64" ? null : TEXT_TYPE;
  return { contentType: parseContentType(given.content_type ?? (said === undefined ? JSON_TYPE : textType)), value };
}

/** As the parameters of a single write say it. */
function readExpiry({ ttl, expires_at, keep_ttl }: GivenExpiry, nowMs: number): { readonly expiry?: Expiry } {
  if (ttl === undefined && expires_at === undefined && keep_ttl !== true) return {};
  const read = expirySchema.safeParse({
    ...(ttl !== undefined && { ttl: String(ttl) }),
    ...(expires_at !== undefined && { expires_at: String(expires_at) }),
    ...(keep_ttl === true && { keep_ttl: "true" }),
  });
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new ProblemError("invalid-expiry", `${String(issue?.path[0])} ${issue?.message}`);
  }
  const found = expiryOf(read.data, nowMs);
  return found === undefined ? {} : { expiry: found };
}

/** A member that is there. */
function written(text: () => string, name: string): string {
  return memberText(text(), name) ?? "";
}

/** JSON can say everything in ASCII; what is no printable character stands in a text or between tokens. */
function inAscii(json: string): string {
  return json
    .replaceAll(/[\t\r\n]/g, " ")
    .replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function invalid(detail: string): ProblemError {
  return new ProblemError("invalid-operation", detail);
}
