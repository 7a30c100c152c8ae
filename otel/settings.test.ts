import { expect, test } from "vitest";
import { exportsTraces, readLogLevel, readShare } from "./settings.ts";

test("traces are sent only where somebody takes them", () => {
  expect(exportsTraces({})).toBe(false);
  expect(exportsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: "" })).toBe(false);
  const endpoint = "http://collector:4318";
  expect(exportsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toBe(true);
  expect(exportsTraces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint })).toBe(true);
  expect(exportsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: "none" })).toBe(false);
});

test("a level that is none is told by the process itself: here it is as if it were not there", () => {
  expect(readLogLevel({ MILLRACE_LOG_LEVEL: "debug" })).toBe("debug");
  expect(readLogLevel({ MILLRACE_LOG_LEVEL: "loud" })).toBe("info");
});

test.each([
  ["parentbased_traceidratio", "0.05", 0.05],
  ["parentbased_traceidratio", "1", 1],
  ["parentbased_always_on", undefined, 1],
  ["parentbased_always_off", undefined, 0],
  // The SDK tells of what is wrong, and says what it does instead.
  ["parentbased_traceidratio", "5%", null],
  ["parentbased_traceidratio", "", null],
  ["parentbased_traceidratio", "1.5", null],
  ["traceidratio", "0.05", null],
  ["always_on", undefined, null],
])("the share of %s with %o is %o", (OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, share) => {
  expect(readShare({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG })).toBe(share);
});
