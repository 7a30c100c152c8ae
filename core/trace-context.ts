/**
 * The W3C trace context (https://www.w3.org/TR/trace-context/) as it travels: in the headers of a request, and with a
 * command in the log. Written and read here, because it must travel also where nothing is traced.
 */
import {
  type Context,
  createTraceState,
  INVALID_TRACEID,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  TraceFlags,
  type TraceState,
  trace,
} from "@opentelemetry/api";

/** What of a trace travels with a request or a command. */
export interface TraceCarrier {
  /** Always valid where it is there. */
  readonly traceparent?: string | undefined;
  /** What the systems before us note of the trace, for themselves. */
  readonly tracestate?: string | undefined;
  /** What they want to be known along the way (https://www.w3.org/TR/baggage/). */
  readonly baggage?: string | undefined;
}

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const LENGTH = "00-".length + 32 + "-".length + 16 + "-00".length;

const CODE_OF_A = 0x61;

export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text) && !text.startsWith("ff");
}

/** A span's context that is kept as it is written: most are only ever passed on, and their parts never asked for. */
export class WrittenContext implements SpanContext {
  /** Valid. */
  readonly traceparent: string;
  readonly traceState?: TraceState;
  readonly isRemote?: boolean;

  /** @param isRemote it is another process' */
  constructor(traceparent: string, traceState?: TraceState, isRemote = false) {
    this.traceparent = traceparent;
    if (traceState) this.traceState = traceState;
    if (isRemote) this.isRemote = true;
  }

  get traceId(): string {
    return traceIdIn(this.traceparent);
  }

  get spanId(): string {
    return spanIdIn(this.traceparent);
  }

  get traceFlags(): TraceFlags {
    return flagsIn(this.traceparent);
  }
}

function traceIdIn(traceparent: string): string {
  return traceparent.slice(3, 35);
}

function spanIdIn(traceparent: string): string {
  return traceparent.slice(36, 52);
}

function flagsIn(traceparent: string): TraceFlags {
  return isSampled(traceparent) ? TraceFlags.SAMPLED : TraceFlags.NONE;
}

/** Is what it belongs to recorded? Cheap: asked of every command. */
export function isSampled(traceparent: string | undefined): boolean {
  if (traceparent?.length !== LENGTH) return false;
  const digit = traceparent.charCodeAt(LENGTH - 1);
  // Of a hexadecimal digit: "a" is even, and its code is odd.
  return (digit & 1) !== Number(digit >= CODE_OF_A);
}

/** The same of a span, by its context: also after its end, because what it began may go on. */
export function isSampledContext({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) === 1;
}

function withFlags({ traceId, spanId, isRemote, traceState }: SpanContext, traceFlags: TraceFlags): SpanContext {
  return { traceId, spanId, traceFlags, ...(isRemote && { isRemote }), ...(traceState && { traceState }) };
}

/** What goes on from it has its trace id and is not recorded. */
export function unsampled(span: Span): Span {
  return trace.wrapSpanContext(withFlags(span.spanContext(), TraceFlags.NONE));
}

/** @returns undefined where there is none that is valid */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return spanContextOf({ traceparent })?.traceId;
}

/**
 * @param context of a span: where nothing is traced, the one that is not valid
 * @returns undefined where nothing is traced
 */
export function formatTraceparent(context: SpanContext): string | undefined {
  if (context instanceof WrittenContext) return context.traceparent;
  if (context.traceId === INVALID_TRACEID) return undefined;
  return `00-${context.traceId}-${context.spanId}-0${context.traceFlags & TraceFlags.SAMPLED}`;
}

/** The trace that a log line belongs to. */
export interface TraceFields {
  readonly trace_id?: string;
  readonly span_id?: string;
}

/**
 * Under the names of OpenTelemetry's log data model
 * (https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/), so that a collector and Grafana find it.
 * @param traceparent of a request or a command; nothing comes of what is none
 */
export function traceFields(traceparent: string | undefined): TraceFields {
  const context = spanContextOf({ traceparent });
  return context === null ? {} : { trace_id: context.traceId, span_id: context.spanId };
}

/** @returns null when there is none that is valid */
export function spanContextOf({ traceparent, tracestate }: TraceCarrier): SpanContext | null {
  if (traceparent === undefined || !isTraceparent(traceparent)) return null;
  return new WrittenContext(traceparent, tracestate === undefined ? undefined : createTraceState(tracestate), true);
}

/**
 * Where a span goes on from what has travelled.
 * @param sampled true: it is recorded whatever its beginning was
 */
export function contextOf(carrier: TraceCarrier, sampled = false): Context {
  const context = spanContextOf(carrier);
  if (context === null) return ROOT_CONTEXT;
  return within(trace.wrapSpanContext(sampled ? withFlags(context, TraceFlags.SAMPLED) : context));
}

/** Where a span begins whose parent that one is, and nothing else is known. */
export function within(span: Span): Context {
  return new WithinSpan(span);
}

/** As `trace.setSpan` makes one of the root, which copies a map and makes three functions each time. */
class WithinSpan implements Context {
  readonly #span: Span;

  constructor(span: Span) {
    this.#span = span;
  }

  getValue(key: symbol): unknown {
    return key === SPAN_KEY ? this.#span : undefined;
  }

  setValue(key: symbol, value: unknown): Context {
    return trace.setSpan(ROOT_CONTEXT, this.#span).setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return trace.setSpan(ROOT_CONTEXT, this.#span).deleteValue(key);
  }
}

/** Under which a context holds its span: what the API looks for in one. */
const SPAN_KEY = keyAskedBy((context) => trace.getSpan(context));

function keyAskedBy(ask: (context: Context) => unknown): symbol | null {
  let asked: symbol | null = null;
  const context: Context = {
    getValue: (key) => {
      asked = key;
      return undefined;
    },
    setValue: () => context,
    deleteValue: () => context,
  };
  ask(context);
  return asked;
}
