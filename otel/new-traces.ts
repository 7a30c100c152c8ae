/**
 * Ids of traces that begin here, and of spans, and which of those traces are recorded. Many are made at once: one by
 * one they cost more than all else that an unrecorded request does for its trace.
 */
import { randomBytes, randomFillSync } from "node:crypto";

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const MADE_AT_ONCE = 512;

/** The lowest 56 bits of a trace id are random for certain. Of them these decide: as many as are read at once. */
const DECIDING_AT = 9;
const DECIDING_BYTES = 6;
const DECIDING_BELOW = 2 ** (8 * DECIDING_BYTES);

/**
 * Does its trace belong to the share that is recorded? Every process says the same of an id
 * (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/).
 * @param share 0 to 1
 */
export function isOfShare(traceId: string, share: number): boolean {
  return isDecided(Number.parseInt(traceId.slice(2 * DECIDING_AT, 2 * (DECIDING_AT + DECIDING_BYTES)), 16), share);
}

function isDecided(deciding: number, share: number): boolean {
  return deciding >= (1 - share) * DECIDING_BELOW;
}

const EMPTY = `00-${"0".repeat(2 * TRACE_ID_BYTES)}-${"0".repeat(2 * SPAN_ID_BYTES)}-00`;
const TRACE_ID_AT = 3;
const SPAN_ID_AT = TRACE_ID_AT + 2 * TRACE_ID_BYTES + 1;
const FLAG_AT = EMPTY.length - 1;
const [ZERO, ONE] = Buffer.from("01");
const DIGITS = Buffer.from("0123456789abcdef");

export class NewTraces {
  readonly #share: number;
  readonly #random = Buffer.alloc((TRACE_ID_BYTES + SPAN_ID_BYTES) * MADE_AT_ONCE);
  /** `traceparent`s, one behind the other. */
  readonly #traces = Buffer.from(EMPTY.repeat(MADE_AT_ONCE));
  #tracesUsed = this.#traces.length;
  #spanIds = "";
  #spanIdsUsed = 0;

  /** @param share of the traces that is recorded, 0 to 1 */
  constructor(share: number) {
    this.#share = share;
  }

  /** The `traceparent` of the first span of a new trace: recorded when its flags say so. */
  next(): string {
    if (this.#tracesUsed === this.#traces.length) {
      this.#write();
      this.#tracesUsed = 0;
    }
    const from = this.#tracesUsed;
    this.#tracesUsed += EMPTY.length;
    // Text of its own: a part of a longer one costs more wherever it is read, and keeps all of that in memory.
    return this.#traces.toString("latin1", from, this.#tracesUsed);
  }

  nextSpanId(): string {
    if (this.#spanIdsUsed === this.#spanIds.length) {
      this.#spanIds = randomBytes(SPAN_ID_BYTES * MADE_AT_ONCE).toString("hex");
      this.#spanIdsUsed = 0;
    }
    const from = this.#spanIdsUsed;
    this.#spanIdsUsed += 2 * SPAN_ID_BYTES;
    return this.#spanIds.slice(from, this.#spanIdsUsed);
  }

  #write(): void {
    const random = randomFillSync(this.#random);
    const traces = this.#traces;
    let from = 0;
    for (let at = 0; at < traces.length; at += EMPTY.length) {
      const recorded = isDecided(random.readUIntBE(from + DECIDING_AT, DECIDING_BYTES), this.#share);
      traces[at + FLAG_AT] = (recorded ? ONE : ZERO) ?? 0;
      from = writeHex(random, from, TRACE_ID_BYTES, traces, at + TRACE_ID_AT);
      from = writeHex(random, from, SPAN_ID_BYTES, traces, at + SPAN_ID_AT);
    }
  }
}

/** @returns where the bytes end */
function writeHex(bytes: Uint8Array, from: number, length: number, page: Uint8Array, at: number): number {
  for (let i = 0; i < length; i += 1) {
    const byte = bytes[from + i] ?? 0;
    page[at + 2 * i] = DIGITS[byte >> 4] ?? 0;
    page[at + 2 * i + 1] = DIGITS[byte & 15] ?? 0;
  }
  return from + length;
}
