/**
 * A request's body as a JSON document: settings, a job. Values are never read as such.
 */
import type { z } from "zod";
import { DOCUMENT_MAX_BYTES } from "../core/limits.ts";
import { ProblemError, type ProblemSlug } from "./errors.ts";
import type { Incoming } from "./exchange.ts";

export const JSON_TYPE = "application/json";
export const MERGE_PATCH_TYPE = "application/merge-patch+json";

/** Of whatever takes a document. */
export const DOCUMENT_PROBLEMS = [
  "unsupported-media-type",
  "invalid-document",
  "invalid-body",
  "value-too-large",
] as const satisfies readonly ProblemSlug[];

/** How many faults of one document are told. */
const FAULTS_TOLD = 10;

/** @throws ProblemError `unsupported-media-type`, `invalid-document`, `value-too-large` */
export async function readJson(incoming: Incoming, mediaType: string): Promise<unknown> {
  const given = incoming.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (given !== mediaType) throw new ProblemError("unsupported-media-type", `Send ${mediaType}.`);
  const body = await incoming.body();
  if (body.byteLength > DOCUMENT_MAX_BYTES) {
    throw new ProblemError("value-too-large", `A document has at most ${DOCUMENT_MAX_BYTES} bytes.`);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new ProblemError("invalid-document", "It is not JSON.");
  }
}

/**
 * What parts of are kept as they are written: the text, and what it says.
 * @throws ProblemError with this slug
 */
export function parseJsonText(bytes: Uint8Array, slug: ProblemSlug): { text: string; document: unknown } {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, document: JSON.parse(text) };
  } catch {
    throw new ProblemError(slug, "That is not a JSON text in UTF-8.");
  }
}

/** @throws ProblemError `invalid-document`, which tells each fault and its place */
export function checkDocument<Schema extends z.ZodType>(schema: Schema, document: unknown): z.output<Schema> {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, FAULTS_TOLD).map(({ path, message }) => {
    const at = path.join(".");
    return at === "" ? message : `${at}: ${message}`;
  });
  throw new ProblemError("invalid-document", faults.join("; "));
}
