/** What is sent of spans, against what the SDK writes of the same ones. */

import { type Span, SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import { expect, test } from "vitest";
import { contextOf, spanContextOf } from "../core/trace-context.ts";
import { HeadSampling } from "./head-sampling.ts";
import { TraceJson } from "./trace-json.ts";

const ABOVE = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, tracestate: 'vendor="1"' };

/** What is ended of the spans that are told there. */
function recorded(tell: (tracer: Tracer) => readonly Span[]): ReadableSpan[] {
  const ended: ReadableSpan[] = [];
  const resource = resourceFromAttributes({ "service.name": 'a "name"', "process.pid": 7 });
  const origin = { resource, take: (span: ReadableSpan) => void ended.push(span) };
  const sampling = new HeadSampling({ share: 1, parentBased: true }, origin);
  for (const span of tell(sampling.getTracer("test"))) span.end();
  return ended;
}

function sent(json: TraceJson, spans: ReadableSpan[]): unknown {
  return parsed(json.serializeRequest(spans));
}

function parsed(bytes: Uint8Array | undefined): unknown {
  return JSON.parse(Buffer.from(bytes ?? []).toString());
}

function sdk(spans: ReadableSpan[]): unknown {
  return parsed(JsonTraceSerializer.serializeRequest(spans));
}

test("spans are written as the SDK writes them", () => {
  const context = spanContextOf(ABOVE) ?? undefined;
  const spans = recorded((tracer) => {
    const common = { early: 1, changed: "a" };
    const plain = tracer.startSpan("plain", { kind: SpanKind.SERVER });
    const same = tracer.startSpan("common", { attributes: common });
    const own = tracer.startSpan("own", { attributes: common }).setAttribute("late", 'quote " and \\ and \u2028 and ü');
    const over = tracer.startSpan("over", { attributes: common }).setAttribute("changed", "b");
    const all = tracer.startSpan("all", { kind: SpanKind.CONSUMER, startTime: [1_795_000_000, 5] }, contextOf(ABOVE));
    all.setAttributes({
      whole: -3,
      part: 0.25,
      yes: false,
      large: 2 ** 60,
      list: ["x", "y"],
      counts: [1, 2.5],
      none: [],
    });
    if (context) {
      const { traceId, spanId, traceFlags } = context;
      const near = { traceId, spanId, traceFlags, isRemote: false };
      all.addLinks([{ context, attributes: { about: "link" } }, { context: near }]);
    }
    all.addEvent("at").addEvent("with", { size: 2 }, [1_795_000_000, 999_999_999]);
    all.setStatus({ code: SpanStatusCode.ERROR, message: 'why "so"' });
    return [plain, same, own, over, all];
  });
  const json = new TraceJson();
  expect(spans).toHaveLength(5);
  expect(sent(json, spans)).toEqual(sdk(spans));
  // And once more, when it knows what they have in common.
  expect(sent(json, spans.slice(1))).toEqual(sdk(spans.slice(1)));
});

test("spans that are longer than most are written whole", () => {
  const long = "€".repeat(200_000);
  const spans = recorded((tracer) => [1, 2, 3].map(() => tracer.startSpan("long", { attributes: { long } })));
  expect(sent(new TraceJson(), spans)).toEqual(sdk(spans));
});

test("a batch that cannot be written leaves the next one whole", () => {
  const spans = recorded((tracer) => [tracer.startSpan("good"), tracer.startSpan("bad")]);
  Object.defineProperty(spans[1], "links", { get: () => expect.unreachable() });
  const json = new TraceJson();
  expect(() => json.serializeRequest(spans)).toThrow();
  expect(sent(json, spans.slice(0, 1))).toEqual(sdk(spans.slice(0, 1)));
});

test("nothing is sent of no spans", () => {
  expect(new TraceJson().serializeRequest([])).toBeUndefined();
});
