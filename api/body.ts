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

/** What a body may be, and what its sender is told beyond. */
export interface BodyBound {
  readonly maxBytes: number;
  readonly problem: () => ProblemError;
}

export const VALUE_BOUND: BodyBound = {
  maxBytes: VALUE_MAX_BYTES,
  problem: () => new ProblemError("value-too-large", `A value has at most ${VALUE_MAX_BYTES} bytes.`),
};

/**
 * Collects the chunks of a body.
 * @throws ProblemError the bound's, early when the length is declared
 */
export class BodyBuffer {
  readonly #bound: BodyBound;
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** @param declared the Content-Length header */
  constructor(declared: string | null, bound = VALUE_BOUND) {
    this.#bound = bound;
    if (declared !== null && Number(declared) > bound.maxBytes) throw bound.problem();
  }

  add(chunk: Uint8Array): void {
    this.#length += chunk.byteLength;
    if (this.#length > this.#bound.maxBytes) {
      this.#chunks = [];
      throw this.#bound.problem();
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
  return collect(readChunks(request), request.headers.get("content-length"));
}

/**
 * All of a body's chunks in one.
 * @param declared the Content-Length header
 */
export async function collect(
  chunks: AsyncIterable<Uint8Array>,
  declared: string | null,
  bound = VALUE_BOUND,
): Promise<Uint8Array> {
  const buffer = new BodyBuffer(declared, bound);
  for await (const chunk of chunks) buffer.add(chunk);
  return buffer.whole();
}

/** @throws ProblemError `invalid-body` when it breaks off */
export async function* readChunks(request: Request): AsyncGenerator<Uint8Array> {
  const reader = request.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(broken);
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function broken(): never {
  throw new ProblemError("invalid-body");
}
