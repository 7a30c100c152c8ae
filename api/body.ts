/**
 * A request's body and its type: bytes as they came, never more than the limit in memory.
 */
import { CONTENT_TYPE_MAX_CHARS, VALUE_MAX_BYTES } from "../core/limits.ts";
import { ProblemError } from "./errors.ts";

const NOTHING = new Uint8Array(0);
const PRINTABLE_ASCII = /^[\u0020-\u007e]+$/;

/** What a value is when its writer does not say (RFC 9110, 8.3). */
const DEFAULT_CONTENT_TYPE = "application/octet-stream";

/** The content type to store with a value, verbatim. */
export function parseContentType(header: string | null): string {
  if (header === null || header === "") return DEFAULT_CONTENT_TYPE;
  if (header.length > CONTENT_TYPE_MAX_CHARS || !PRINTABLE_ASCII.test(header)) {
    throw new ProblemError("invalid-content-type", `At most ${CONTENT_TYPE_MAX_CHARS} printable ASCII characters.`);
  }
  return header;
}

/** @throws ProblemError `value-too-large`, early when the length is declared; `invalid-body` when it breaks off */
export async function readValue(request: Request): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null) {
    if (Number(declared) > VALUE_MAX_BYTES) throw tooLarge();
    if (declared === "0") return NOTHING;
    return new Uint8Array(await request.arrayBuffer().catch(broken));
  }
  if (request.body === null) return NOTHING;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(broken);
    if (done) return joined(chunks, length);
    length += value.byteLength;
    if (length > VALUE_MAX_BYTES) {
      reader.cancel().catch(() => undefined);
      throw tooLarge();
    }
    chunks.push(value);
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const value = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    value.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return value;
}

function tooLarge(): ProblemError {
  return new ProblemError("value-too-large", `A value has at most ${VALUE_MAX_BYTES} bytes.`);
}

function broken(): never {
  throw new ProblemError("invalid-body");
}
