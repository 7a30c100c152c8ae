import { ROOT_CONTEXT, TraceFlags, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import { expect, test } from "vitest";
import { formatTraceparent, isTraceparent } from "../core/trace-context.ts";
import { HeadSampling } from "./head-sampling.ts";

const PARENT = { traceId: "a".repeat(32), spanId: "b".repeat(16) };
const within = (traceFlags: TraceFlags, parent = PARENT) =>
  trace.setSpanContext(ROOT_CONTEXT, { ...parent, traceFlags });

function tracerWith(share: number, parentBased = true) {
  const taken: ReadableSpan[] = [];
  const origin = { resource: resourceFromAttributes({}), take: (span: ReadableSpan) => void taken.push(span) };
  const tracer = new HeadSampling({ share, parentBased }, origin).getTracer("test");
  return { tracer, taken };
}

test("of traces that begin here the share is recorded, and every one has valid ids of its own", () => {
  const { tracer, taken } = tracerWith(0.5);
  const spans = Array.from({ length: 2000 }, () => tracer.startSpan("root"));
  const recorded = spans.filter((span) => span.isRecording());
  // By chance alone one in 10^80 runs is outside.
  expect(recorded.length).toBeGreaterThan(600);
  expect(recorded.length).toBeLessThan(1400);
  const contexts = spans.map((span) => span.spanContext());
  for (const context of contexts) expect(isTraceparent(formatTraceparent(context) ?? "")).toBe(true);
  expect(new Set(contexts.map(({ traceId }) => traceId)).size).toBe(spans.length);
  expect(new Set(contexts.map(({ spanId }) => spanId)).size).toBe(spans.length);
  for (const span of spans) span.end();
  expect(taken).toEqual(recorded);
});

test.each([0, 1])("what has begun elsewhere goes on as its parent says, whatever the share: %s", (share) => {
  const { tracer } = tracerWith(share);
  for (const flags of [TraceFlags.SAMPLED, TraceFlags.NONE]) {
    const { traceId, spanId, traceFlags } = tracer.startSpan("child", {}, within(flags)).spanContext();
    expect({ traceId, traceFlags }).toEqual({ traceId: PARENT.traceId, traceFlags: flags });
    expect(spanId).not.toBe(PARENT.spanId);
  }
});

test("where the sampler does not look at parents, all processes say the same of a trace, by its id", () => {
  const elsewhere = tracerWith(1).tracer;
  const traceIds = Array.from({ length: 200 }, () => elsewhere.startSpan("root").spanContext().traceId);
  const recordedBy = (share: number) => {
    const { tracer } = tracerWith(share, false);
    return traceIds.filter((traceId) =>
      tracer.startSpan("child", {}, within(TraceFlags.NONE, { ...PARENT, traceId })).isRecording(),
    );
  };
  const some = recordedBy(0.5);
  expect(recordedBy(0.5)).toEqual(some);
  expect(some.length).toBeGreaterThan(0);
  expect(some.length).toBeLessThan(traceIds.length);
  expect(recordedBy(0.75)).toEqual(expect.arrayContaining(some));
});

test("a parent that is not valid, or is not to be one, is none", () => {
  const { tracer } = tracerWith(1);
  const nobody = { traceId: "0".repeat(32), spanId: "0".repeat(16) };
  expect(tracer.startSpan("root", {}, within(TraceFlags.NONE, nobody)).isRecording()).toBe(true);
  expect(tracer.startSpan("root", { root: true }, within(TraceFlags.NONE)).isRecording()).toBe(true);
});

test("the share is all or nothing where that is asked for", () => {
  for (const share of [0, 1]) {
    const { tracer } = tracerWith(share);
    const spans = Array.from({ length: 1000 }, () => tracer.startSpan("root"));
    expect(spans.filter((span) => span.isRecording())).toHaveLength(1000 * share);
  }
});
