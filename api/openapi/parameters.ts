/**
 * Schemas that many routes share: the parameters of paths, and revisions.
 */
import { z } from "zod";
import { keyBytes } from "../../core/key-bytes.ts";
import { KEY_MAX_BYTES } from "../../core/limits.ts";
import { NAMESPACE_PATTERN } from "../key-path.ts";

export const revisionSchema = z
  .string()
  .regex(/^\d{2,4}-\d{1,16}-\d{1,16}$/)
  .describe("A revision: `<partition>-<milliseconds>-<sequence>` of the command that last changed the key.")
  .meta({ id: "Revision", examples: ["15-1795247404350-0"] });

export const positionSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, "is the id of an event, whole and unchanged.")
  .describe("How far a client has followed the changes. Opaque.")
  .meta({ id: "Position" });

export const etagSchema = z.string().regex(/^"[^"]*"$/);

/** An ISO time in UTC, with milliseconds. */
export const timeSchema = z.iso.datetime({ precision: 3 });

export const keyParameters = {
  namespace: z.string().regex(NAMESPACE_PATTERN).describe("A tenant's set of keys."),
  key: z
    .string()
    .min(1)
    .max(KEY_MAX_BYTES)
    .describe(
      `1 to ${KEY_MAX_BYTES} bytes of UTF-8 without control characters. A slash may be written as it is or as \`%2F\`: it is one key. ` +
        "A segment `.` or `..` is refused, because URL parsers resolve it.",
    ),
};

/** Of keys, as a query parameter. */
export const prefixSchema = z
  .string()
  .refine((text) => keyBytes(text).byteLength <= KEY_MAX_BYTES, {
    error: `has at most ${KEY_MAX_BYTES} bytes, as keys have.`,
  })
  .default("")
  .describe("Only keys that begin with it.");

export const commandParameters = { id: revisionSchema.describe("The revision of the command.") };

export const partitionParameters = { n: z.int().min(0).describe("The number of the partition.") };
