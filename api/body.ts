/**
 * A request's body and its type: bytes as they came, never more than the limit in memory.
 */
import { CONTENT_TYPE_MAX_CHARS, VALUE_MAX_BYTES } from "../core/limits.ts";
import { ProblemError } from "./errors.ts";

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

/**
 * Collects the chunks of a body.
 * @throws ProblemError `value-too-large`, early when the length is declared
 */
export class BodyBuffer {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** @param declared the Content-Length header */
  constructor(declared: string | null) {
    if (declared !== null && Number(declared) > VALUE_MAX_BYTES) throw tooLarge();
  }

  add(chunk: Uint8Array): void {
    this.#length += chunk.byteLength;
    if (this.#length > VALUE_MAX_BYTES) {
      this.#chunks = [];
      throw tooLarge();
    }
    this.#chunks.push(chunk);
  }

  whole(): Uint8Array {
    const [first, second] = this.#chunks;
    if (first !== undefined && second === undefined) return first;
    const value = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      value.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return value;
  }
}

/** @throws ProblemError `value-too-large`, early when the length is declared; `invalid-body` when it breaks off */
export async function readBody(request: Request): Promise<Uint8Array> {
  const buffer = new BodyBuffer(request.headers.get("content-length"));
  const reader = request.body?.getReader();
  if (reader === undefined) return buffer.whole();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(broken);
      if (done) return buffer.whole();
      buffer.add(value);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function broken(): never {
  throw new ProblemError("invalid-body");
}

function tooLarge(): ProblemError {
  return new ProblemError("value-too-large", `A value has at most ${VALUE_MAX_BYTES} bytes.`);
}
