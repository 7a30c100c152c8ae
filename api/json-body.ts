/**
 * A request's body as a JSON document: settings, a job. Values are never read as such.
 */
import type { z } from "zod";
import { DOCUMENT_MAX_BYTES } from "../core/limits.ts";
import { ProblemError, type ProblemSlug } from "./errors.ts";
import type { Incoming } from "./exchange.ts";
import { requireType } from "./media-type.ts";

/** Of whatever takes a document. */
export const DOCUMENT_PROBLEMS = [
  "unsupported-media-type",
  "invalid-document",
  "invalid-body",
  "value-too-large",
] as const satisfies readonly ProblemSlug[];

/** How many faults of one document are told. */
const FAULTS_TOLD = 10;
const MARK = [0xef, 0xbb, 0xbf];

/** @throws ProblemError `unsupported-media-type`, `invalid-document`, `value-too-large` */
export async function readJson(incoming: Incoming, mediaType: string): Promise<unknown> {
  requireType(incoming.header("content-type"), mediaType);
  const body = await incoming.body();
  if (body.byteLength > DOCUMENT_MAX_BYTES) {
    throw new ProblemError("value-too-large", `A document has at most ${DOCUMENT_MAX_BYTES} bytes.`);
  }
  return parseJsonText(withoutMark(body), "invalid-document", "It is not JSON.").document;
}

/**
 * The text, of which parts are kept as they are written, and what it says.
 * @throws ProblemError with this slug and detail
 */
export function parseJsonText(
  bytes: Uint8Array,
  slug: ProblemSlug,
  detail = "That is not a JSON text in UTF-8.",
): { text: string; document: unknown } {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, document: JSON.parse(text) };
  } catch {
    throw new ProblemError(slug, detail);
  }
}

/** Some editors begin a file with a byte order mark, which is no JSON (RFC 8259, 8.1). Nothing of a document is kept as text. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return MARK.every((byte, index) => bytes[index] === byte) ? bytes.subarray(MARK.length) : bytes;
}

/** @throws ProblemError `invalid-document`, which tells each fault and its place */
export function checkDocument<Schema extends z.ZodType>(schema: Schema, document: unknown): z.output<Schema> {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new ProblemError("invalid-document", tellFaults(parsed.error, FAULTS_TOLD));
}

/**
 * What a schema finds wrong with a document, each fault with its place.
 * @param most so many are told
 * @param placeOf of a part, from the names and numbers that lead to it
 */
export function tellFaults({ issues }: z.ZodError, most: number, placeOf = dotted): string {
  const faults = issues.slice(0, most).map(({ path, message }) => {
    const place = placeOf(path);
    return place === "" ? message : `${place}: ${message}`;
  });
  return faults.join("; ");
}

function dotted(path: readonly PropertyKey[]): string {
  return path.join(".");
}
