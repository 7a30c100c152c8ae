import { ROOT_CONTEXT, type Span, TraceFlags, type Tracer, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { formatTraceparent, isTraceparent } from "../core/trace-context.ts";
import { HeadSampling } from "./head-sampling.ts";

const RECORDED = trace.wrapSpanContext({ traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 });

function tracerWith(share: number): { tracer: Tracer; asked: string[] } {
  const asked: string[] = [];
  const startSpan = (name: string): Span => {
    asked.push(name);
    return RECORDED;
  };
  const recording = { startSpan, startActiveSpan: () => expect.unreachable() };
  return { tracer: new HeadSampling({ getTracer: () => recording }, share).getTracer("test"), asked };
}

test("of traces that begin here the share is recorded, and every other one has valid ids of its own", () => {
  const { tracer, asked } = tracerWith(0.5);
  const spans = Array.from({ length: 2000 }, () => tracer.startSpan("root"));
  const unrecorded = spans.filter((span) => span !== RECORDED);
  // By chance alone one in 10^80 runs is outside.
  expect(asked.length).toBeGreaterThan(600);
  expect(asked.length).toBeLessThan(1400);
  expect(asked.length + unrecorded.length).toBe(2000);
  const contexts = unrecorded.map((span) => span.spanContext());
  for (const context of contexts) expect(isTraceparent(formatTraceparent(context) ?? "")).toBe(true);
  expect(new Set(contexts.map(({ traceId }) => traceId)).size).toBe(unrecorded.length);
  expect(new Set(contexts.map(({ spanId }) => spanId)).size).toBe(unrecorded.length);
  expect(unrecorded.some((span) => span.isRecording())).toBe(false);
});

test.each([0, 1])("what has begun elsewhere goes on as its parent says, whatever the share: %s", (share) => {
  const { tracer, asked } = tracerWith(share);
  const parent = RECORDED.spanContext();
  const within = (traceFlags: TraceFlags) => trace.setSpanContext(ROOT_CONTEXT, { ...parent, traceFlags });
  expect(tracer.startSpan("recorded", {}, within(TraceFlags.SAMPLED))).toBe(RECORDED);
  const { traceId, spanId, traceFlags } = tracer.startSpan("not", {}, within(TraceFlags.NONE)).spanContext();
  expect({ traceId, traceFlags }).toEqual({ traceId: parent.traceId, traceFlags: TraceFlags.NONE });
  expect(spanId).not.toBe(parent.spanId);
  expect(asked).toEqual(["recorded"]);
});

test("the share is all or nothing where that is asked for", () => {
  for (const [share, times] of [
    [0, 0],
    [1, 100],
  ] as const) {
    const { tracer, asked } = tracerWith(share);
    for (let at = 0; at < 100; at += 1) tracer.startSpan("root");
    expect(asked).toHaveLength(times);
  }
});
