/**
 * Ids of traces that begin here, and of spans, and which of those traces are recorded. Many are made at once: one by
 * one they cost more than all else that an unrecorded request does for its trace.
 */
import { randomBytes, randomFillSync } from "node:crypto";

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const MADE_AT_ONCE = 128;

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

const BLANK = `00-${"0".repeat(2 * TRACE_ID_BYTES)}-${"0".repeat(2 * SPAN_ID_BYTES)}-00`;
const TRACE_ID_AT = "00-".length;
const SPAN_ID_AT = TRACE_ID_AT + 2 * TRACE_ID_BYTES + "-".length;
const FLAG_AT = BLANK.length - 1;
const [ZERO, ONE] = Buffer.from("01");

/** Of each byte its two digits, as they are written. */
const DIGITS = Uint16Array.from({ length: 256 }, (_, byte) => {
  return Buffer.from(byte.toString(16).padStart(2, "0")).readUInt16BE();
});

export class NewTraces {
  readonly #share: number;
  readonly #random = Buffer.alloc((TRACE_ID_BYTES + SPAN_ID_BYTES) * MADE_AT_ONCE);
  /** `traceparent`s, as JSON. */
  readonly #page = Buffer.from(JSON.stringify(Array.from({ length: MADE_AT_ONCE }, () => BLANK)));
  readonly #digits = new DataView(this.#page.buffer, this.#page.byteOffset, this.#page.length);
  #traces: string[] = [];
  #spanIds = "";
  #spanIdsUsed = 0;

  /** @param share of the traces that is recorded, 0 to 1 */
  constructor(share: number) {
    this.#share = share;
  }

  /** The `traceparent` of the first span of a new trace: recorded when its flags say so. */
  next(): string {
    return this.#traces.pop() ?? this.#make();
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

  /** Makes more of them, and gives one. */
  #make(): string {
    const random = randomFillSync(this.#random);
    const [page, digits] = [this.#page, this.#digits];
    let from = 0;
    for (let at = '["'.length; at < page.length; at += BLANK.length + '","'.length) {
      const recorded = isDecided(random.readUIntBE(from + DECIDING_AT, DECIDING_BYTES), this.#share);
      page[at + FLAG_AT] = (recorded ? ONE : ZERO) ?? 0;
      from = writeHex(random, from, TRACE_ID_BYTES, digits, at + TRACE_ID_AT);
      from = writeHex(random, from, SPAN_ID_BYTES, digits, at + SPAN_ID_AT);
    }
    // So each is text of its own: a part of a longer one costs more wherever it is read, and keeps all of that in memory.
    this.#traces = JSON.parse(page.toString("latin1")) as string[];
    return this.next();
  }
}

/** @returns where the bytes end */
function writeHex(bytes: Uint8Array, from: number, length: number, digits: DataView, at: number): number {
  for (let i = 0; i < length; i += 1) digits.setUint16(at + 2 * i, DIGITS[bytes[from + i] ?? 0] ?? 0);
  return from + length;
}
