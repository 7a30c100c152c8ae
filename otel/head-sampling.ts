/**
 * Decides whether a trace is recorded before the SDK is asked, as its sampler would (`parentbased_…`): a trace that has begun
 * elsewhere as its parent says, one that begins here by chance. What is not recorded then costs no more than its ids: the SDK
 * takes two microseconds and a dozen objects for it, which were a tenth of a write.
 */
import { randomFillSync } from "node:crypto";
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { isSampledContext } from "../core/trace-context.ts";

export class HeadSampling implements TracerProvider {
  readonly #recording: TracerProvider;
  readonly #share: number;

  /**
   * @param recording records whatever it is asked for
   * @param share of the traces that begin here, 0 to 1
   */
  constructor(recording: TracerProvider, share: number) {
    this.#recording = recording;
    this.#share = share;
  }

  getTracer(...of: Parameters<TracerProvider["getTracer"]>): Tracer {
    return new HeadSamplingTracer(this.#recording.getTracer(...of), this.#share);
  }
}

class HeadSamplingTracer implements Tracer {
  readonly #recording: Tracer;
  readonly #share: number;

  constructor(recording: Tracer, share: number) {
    this.#recording = recording;
    this.#share = share;
  }

  startSpan(name: string, options: SpanOptions = {}, context: Context = ROOT_CONTEXT): Span {
    const parent = options.root ? undefined : trace.getSpanContext(context);
    const recorded = parent ? isSampledContext(parent) : Math.random() < this.#share;
    return recorded ? this.#recording.startSpan(name, options, context) : trace.wrapSpanContext(unrecorded(parent));
  }

  /** There is no active span (see no-context-manager.ts): every span is told its parent. */
  startActiveSpan(): never {
    throw new Error("start a span with its parent");
  }
}

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const IDS_BYTES = TRACE_ID_BYTES + SPAN_ID_BYTES;

/** Random bytes, many at once: asking for them costs more than they do. */
const pool = Buffer.allocUnsafe(IDS_BYTES * 256);
let used = pool.length;

function unrecorded(parent: SpanContext | undefined): SpanContext {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const ids = pool.toString("hex", used, used + IDS_BYTES);
  used += IDS_BYTES;
  const spanId = ids.slice(2 * TRACE_ID_BYTES);
  if (parent === undefined) return { traceId: ids.slice(0, 2 * TRACE_ID_BYTES), spanId, traceFlags: TraceFlags.NONE };
  const { traceId, traceState } = parent;
  return { traceId, spanId, traceFlags: TraceFlags.NONE, ...(traceState && { traceState }) };
}
