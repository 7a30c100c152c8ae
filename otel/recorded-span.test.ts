/** What becomes of a span that was recorded here, against what the SDK makes of the same one itself. */

import { type Span, SpanKind, SpanStatusCode, type TimeInput, type TracerProvider } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { expect, test } from "vitest";
import { contextOf, spanContextOf } from "../core/trace-context.ts";
import { HeadSampling } from "./head-sampling.ts";

const ABOVE = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, tracestate: "vendor=1" };
const START: TimeInput = [1_795_000_000, 250_000_000];
const END = new Date(1_795_000_001_000);

/** A span of which everything is said that can be. */
function tell(provider: TracerProvider): Span {
  const options = { kind: SpanKind.CONSUMER, startTime: START, attributes: { early: 1, changed: "a" } };
  const span = provider.getTracer("test").startSpan("first", options, contextOf(ABOVE));
  const context = spanContextOf(ABOVE);
  if (context === null) throw new Error("no context");
  const { traceId, spanId, traceFlags } = context;
  span.setAttribute("changed", "b").setAttributes({ list: ["x", "y"], yes: true });
  span
    .addLink({ context, attributes: { about: "link" } })
    .addLinks([{ context: { traceId, spanId, traceFlags, isRemote: false } }]);
  span.addEvent("at", 1_795_000_000_500).addEvent("with", { size: 2 }, END);
  span.setStatus({ code: SpanStatusCode.ERROR, message: "why" }).updateName("last");
  expect(span.isRecording()).toBe(true);
  span.end(END);
  expect(span.isRecording()).toBe(false);
  span.setAttribute("late", true).setAttributes({ late: 1 }).setStatus({ code: SpanStatusCode.OK }).updateName("late");
  return span;
}

function sdk() {
  const exporter = new InMemorySpanExporter();
  const sampler = new AlwaysOnSampler();
  const provider = new NodeTracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor(exporter)] });
  return { provider, exported: () => exporter.getFinishedSpans() };
}

function recording() {
  const exported: ReadableSpan[] = [];
  const origin = { resource: resourceFromAttributes({}), take: (span: ReadableSpan) => void exported.push(span) };
  return { sampling: new HeadSampling({ share: 1, parentBased: true }, origin), exported };
}

function toldOf(span: ReadableSpan | undefined) {
  if (span === undefined) throw new Error("nothing was exported");
  const { name, kind, parentSpanContext, startTime, endTime, duration, attributes, status, events, ended } = span;
  const contexts = [parentSpanContext, ...span.links.map(({ context }) => context)];
  const states = [span.spanContext().traceState, ...contexts.map((context) => context?.traceState)];
  const told = contexts.map(
    (context) => context && [context.traceId, context.spanId, context.traceFlags, context.isRemote],
  );
  const about = span.links.map((link) => link.attributes);
  const scope = span.instrumentationScope.name;
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span;
  const dropped = [droppedAttributesCount, droppedEventsCount, droppedLinksCount];
  const rest = { name, kind, startTime, endTime, duration, dropped, attributes, status, events, ended, about, scope };
  return { ...rest, contexts: told, states: states.map((state) => state?.serialize()) };
}

test("everything that can be said of a span comes out as the SDK would have said it, under its own ids", () => {
  const direct = sdk();
  tell(direct.provider);
  const { sampling, exported } = recording();
  const span = tell(sampling);
  const [exportedSpan] = exported;
  expect(toldOf(exportedSpan)).toEqual(toldOf(direct.exported()[0]));
  expect(exportedSpan?.spanContext()).toBe(span.spanContext());
});

test("a span takes the time that it took, and is told of once", () => {
  const { sampling, exported } = recording();
  const before = Date.now();
  const span = sampling.getTracer("test").startSpan("root");
  const until = performance.now() + 2;
  while (performance.now() < until);
  span.end();
  span.end();
  const [{ startTime, duration, parentSpanContext, kind } = expect.unreachable(), ...more] = exported;
  expect(more).toEqual([]);
  expect(startTime[0] * 1e3 + startTime[1] / 1e6).toBeGreaterThanOrEqual(before);
  expect(duration[0] * 1e3 + duration[1] / 1e6).toBeGreaterThanOrEqual(2);
  expect({ parentSpanContext, kind }).toEqual({ parentSpanContext: undefined, kind: SpanKind.INTERNAL });
});

test("of an exception only its kind is told", () => {
  const { sampling, exported } = recording();
  const span = sampling.getTracer("test").startSpan("root");
  span.recordException(new TypeError("of a secret"));
  span.end();
  expect(exported[0]?.events).toMatchObject([{ name: "exception", attributes: { "exception.type": "TypeError" } }]);
});
