/**
 * Cuts a body into lines while it comes (https://github.com/ndjson/ndjson-spec). Empty lines are none. Pure.
 */

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** A line's bytes without its end; null for one that is longer than the bound, of which nothing is kept. */
export type Line = Uint8Array | null;

export class LineSplitter {
  readonly #maxBytes: number;
  /** The beginning of a line whose end has not come. */
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #tooLong = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this chunk. */
  *push(chunk: Uint8Array): Generator<Line> {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      this.#keep(chunk.subarray(from, end));
      from = end + 1;
      yield* this.end();
    }
    this.#keep(chunk.subarray(from));
  }

  /** The last line, which may end with the body. */
  *end(): Generator<Line> {
    const line = this.#tooLong ? null : withoutReturn(joined(this.#parts, this.#bytes));
    this.#parts = [];
    this.#bytes = 0;
    this.#tooLong = false;
    if (line === null || line.byteLength > 0) yield line;
  }

  #keep(part: Uint8Array): void {
    this.#bytes += part.byteLength;
    if (this.#bytes > this.#maxBytes) {
      this.#tooLong = true;
      this.#parts = [];
    } else if (part.byteLength > 0) {
      this.#parts.push(part);
    }
  }
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const [first, second] = parts;
  if (first !== undefined && second === undefined) return first;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}
