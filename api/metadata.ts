/**
 * What a client keeps beside a value: the header `Millrace-Metadata`, a JSON text. It is stored and told as it came. Pure.
 */
import { METADATA_MAX_BYTES } from "../core/limits.ts";
import { ProblemError } from "./errors.ts";

const PRINTABLE_ASCII = /^[ -~]+$/;

/** @returns undefined when there is none. @throws ProblemError `invalid-metadata` */
export function parseMetadata(header: string | null): string | undefined {
  if (header === null) return undefined;
  if (header.length > METADATA_MAX_BYTES) {
    throw new ProblemError("invalid-metadata", `Metadata has at most ${METADATA_MAX_BYTES} bytes.`);
  }
  // Headers have no encoding that everybody agrees on; JSON can say everything in ASCII.
  if (!PRINTABLE_ASCII.test(header)) {
    throw new ProblemError("invalid-metadata", "Write what is not ASCII as \\u escapes.");
  }
  try {
    JSON.parse(header);
  } catch {
    throw new ProblemError("invalid-metadata", "Metadata is a JSON text.");
  }
  return header;
}
