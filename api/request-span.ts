/**
 * The span of a request: from its coming to its answer, named after its route. Where nothing is recorded it costs next to
 * nothing, and still has a trace id that can be told.
 */
import {
  type Attributes,
  type Context,
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { BAGGAGE_MAX_BYTES, TRACESTATE_MAX_BYTES } from "../core/limits.ts";
import { ATTRIBUTES } from "../core/telemetry.ts";
import { contextOf, formatTraceparent, isTraceparent, type TraceCarrier } from "../core/trace-context.ts";
import type { Answer, Incoming } from "./exchange.ts";

/** Of what is not traced. */
export const NO_SPAN: Span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** The trace that a request belongs to; empty when it names none, or none that is valid. */
export function carrierOf(incoming: Pick<Incoming, "header">): TraceCarrier {
  const traceparent = incoming.header("traceparent");
  if (traceparent === null || !isTraceparent(traceparent)) return NOTHING;
  return { traceparent, tracestate: boundedHeader(incoming, "tracestate", TRACESTATE_MAX_BYTES) };
}

const NOTHING: TraceCarrier = {};

export function baggageOf(incoming: Pick<Incoming, "header">): string | undefined {
  return boundedHeader(incoming, "baggage", BAGGAGE_MAX_BYTES);
}

/** Undefined too where it is too long: it is as if it had not come. */
function boundedHeader(incoming: Pick<Incoming, "header">, name: string, maxBytes: number): string | undefined {
  const value = incoming.header(name);
  return value === null || value.length > maxBytes ? undefined : value;
}

export interface RequestSpans {
  /** Begins one, and gives it to the request. @param begunMs `performance.now()` when the request came */
  begin(incoming: Incoming, requestId: string, begunMs: number): void;
  /** Ends it, and tells the client which it was. */
  end(incoming: Incoming, answer: Answer): void;
}

/** @param name of the route: method and path, or the path alone for methods that it has not */
export function requestSpans(tracer: Tracer, name: string): RequestSpans {
  const [first = "", path] = name.split(" ");
  const attributes: Attributes = {
    // Whatever else a client calls a method is not ours to keep (HTTP conventions).
    [ATTRIBUTES.httpMethod]: path === undefined ? "_OTHER" : first,
    [ATTRIBUTES.httpRoute]: path ?? first,
    [ATTRIBUTES.urlScheme]: "http",
  };
  return {
    begin(incoming, requestId, begunMs) {
      const options = { kind: SpanKind.SERVER, attributes, startTime: begunMs };
      const span = tracer.startSpan(name, options, parentOf(incoming));
      incoming.span = span;
      if (!span.isRecording()) return;
      span.setAttribute(ATTRIBUTES.requestId, requestId);
      if (incoming.method === "HEAD") span.setAttribute(ATTRIBUTES.httpMethod, "HEAD");
    },
    end({ span }, { status, headers }) {
      const traceresponse = formatTraceparent(span.spanContext());
      if (traceresponse !== undefined) headers.traceresponse = traceresponse;
      if (!span.isRecording()) return;
      span.setAttribute(ATTRIBUTES.httpStatus, status);
      // What a client did wrong is no error of the server's (HTTP conventions).
      if (status >= 500) {
        span.setAttribute(ATTRIBUTES.errorType, String(status));
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

function parentOf(incoming: Incoming): Context {
  const carrier = carrierOf(incoming);
  return carrier === NOTHING ? ROOT_CONTEXT : contextOf(carrier);
}
