import { expect, test } from "vitest";
import { exportsTraces, readLogLevel } from "./settings.ts";

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
