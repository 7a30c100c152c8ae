import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { contextOf, formatTraceparent, isSampled, spanContextOf, traceIdOf, unsampled } from "./trace-context.ts";

const ID = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${ID}-b7ad6b7169203331-01`;

test("what is written is what was read", () => {
  const context = spanContextOf({ traceparent, tracestate: "a=1,b=2" });
  expect(context?.traceState?.serialize()).toBe("a=1,b=2");
  expect(context && formatTraceparent(context)).toBe(traceparent);
  expect(traceIdOf(traceparent)).toBe(ID);
});

test("recorded is what has the lowest bit of its flags set, whatever stands beside it", () => {
  const flags = { "00": false, "01": true, "02": false, "03": true, "0a": false, "0b": true, ff: true };
  for (const [text, sampled] of Object.entries(flags)) {
    expect([text, isSampled(`00-${ID}-b7ad6b7169203331-${text}`)]).toEqual([text, sampled]);
  }
  expect(isSampled(undefined)).toBe(false);
  expect(isSampled("1")).toBe(false);
});

test("what is not valid begins nothing and is not written", () => {
  expect(contextOf({ traceparent: "x" })).toBe(ROOT_CONTEXT);
  expect(contextOf({})).toBe(ROOT_CONTEXT);
  expect(spanContextOf({})).toBeNull();
  expect(formatTraceparent({ traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 1 })).toBeUndefined();
});

test("a trace can go on recorded though it began otherwise, and the other way round, under its id", () => {
  const quiet = traceparent.replace("-01", "-00");
  const context = trace.getSpanContext(contextOf({ traceparent: quiet }, true));
  expect(context && formatTraceparent(context)).toBe(traceparent);
  expect(context && formatTraceparent(unsampled(trace.wrapSpanContext(context)).spanContext())).toBe(quiet);
});
