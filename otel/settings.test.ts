import { expect, test } from "vitest";
import { exportsTraces, readLogLevel, readSampling } from "./settings.ts";

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
  ["parentbased_traceidratio", "0.05", 0.05, true],
  ["parentbased_traceidratio", "1", 1, true],
  ["parentbased_always_on", undefined, 1, true],
  ["parentbased_always_off", "1", 0, true],
  ["traceidratio", "0.5", 0.5, false],
  ["always_on", undefined, 1, false],
  ["always_off", undefined, 0, false],
  // What is empty is not set (OpenTelemetry's rules for variables).
  [undefined, undefined, 0.05, true],
  ["", "", 0.05, true],
  ["", "0.5", 0.5, true],
])(
  "the sampler %o with %o records %d of new traces; parents are followed: %o",
  (sampler, ratio, share, parentBased) => {
    const environment = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio };
    expect(readSampling(environment, () => expect.unreachable())).toEqual({ share, parentBased });
  },
);

test.each([
  ["parentbased_traceidratio", "5%", "OTEL_TRACES_SAMPLER_ARG", { share: 0.05, parentBased: true }],
  ["traceidratio", "1.5", "OTEL_TRACES_SAMPLER_ARG", { share: 0.05, parentBased: false }],
  ["traceidratio", " ", "OTEL_TRACES_SAMPLER_ARG", { share: 0.05, parentBased: false }],
  ["some", "0.5", "OTEL_TRACES_SAMPLER", { share: 0.5, parentBased: true }],
  ["parentbased_", undefined, "OTEL_TRACES_SAMPLER", { share: 0.05, parentBased: true }],
])("of %o with %o what cannot be read is told, and is as if it were not set", (sampler, ratio, name, sampling) => {
  const told: string[] = [];
  const environment = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio };
  expect(readSampling(environment, (invalid) => told.push(invalid))).toEqual(sampling);
  expect(told).toEqual([name]);
});
