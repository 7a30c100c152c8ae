/**
 * The trace that a log line belongs to, under the names of OpenTelemetry's log data model
 * (https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/), so that a collector and Grafana find it.
 */

export interface TraceFields {
  readonly trace_id?: string;
  readonly span_id?: string;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/;

/** @param traceparent of a request or a command (https://www.w3.org/TR/trace-context/); nothing comes of what is none */
export function traceFields(traceparent: string | undefined): TraceFields {
  const [, traceId, spanId] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  return traceId === undefined || spanId === undefined ? {} : { trace_id: traceId, span_id: spanId };
}
