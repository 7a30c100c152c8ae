import { describe, expect, test } from "vitest";
import type { Metric } from "./metric.ts";
import { metricsDocument } from "./metrics-document.ts";
import { METRICS } from "./telemetry.ts";

const all: readonly Metric[] = Object.values(METRICS);

test("docs/metrics.md is that of this code; npm run metrics writes it", async () => {
  await expect(metricsDocument(all)).toMatchFileSnapshot("../docs/metrics.md");
});

describe("the table of metrics keeps the conventions of Prometheus (https://prometheus.io/docs/practices/naming/):", () => {
  test.each(all)("$name", ({ name, type, unit, help, labels, buckets }) => {
    expect(name).toMatch(/^millrace(_[a-z]+)+$/);
    expect(name.endsWith("_total")).toBe(type === "counter");
    expect(name).not.toMatch(/_(?:bucket|sum|count|ms|milliseconds)$/);
    for (const [suffix, of] of [
      ["_seconds", "seconds"],
      ["_bytes", "bytes"],
    ] as const) {
      expect(name.replace(/_total$/, "").endsWith(suffix)).toBe(unit === of);
    }
    expect(help).toMatch(/^[A-Z1].*[^.]\.$/);
    expect(help).not.toMatch(/[\n|]/);
    expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
    expect(buckets.length > 0).toBe(type === "histogram");
    // What a client names has as many values as clients like.
    for (const label of labels) expect(BOUNDED).toContain(label);
  });

  test("no name stands there twice", () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });
});

/** Labels whose values are ours to choose. */
const BOUNDED = ["redis", "grade", "partition", "state", "route", "status", "type", "bound", "end"];
