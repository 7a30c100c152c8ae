import { expect, test } from "vitest";
import { Histogram } from "../core/histogram.ts";
import { observeAges } from "./apply-meter.ts";

const NOW_MS = 1_800_000_000_000;
const BOUNDS = [0.001, 0.01, 0.1, 1];

/** Ages in milliseconds, one an entry. */
function observed(agesMs: readonly number[]): Histogram {
  const histogram = new Histogram(BOUNDS);
  observeAges(
    histogram,
    agesMs.map((ageMs, at) => ({ id: `${NOW_MS - ageMs}-${at}` })),
    NOW_MS,
  );
  return histogram;
}

test("counting by runs comes to the same as counting each command", () => {
  const ages = [500, 500, 500, 20, 20, 5, 4, 3, 3, 3, 1, 0];
  const each = new Histogram(BOUNDS);
  for (const age of ages) each.observe(age / 1000);
  const byRuns = observed(ages);
  expect(byRuns.cumulative()).toEqual(each.cumulative());
  expect(byRuns.count).toBe(ages.length);
  expect(byRuns.sum).toBeCloseTo(each.sum, 9);
});

test("whatever the runs are, each command is counted once", () => {
  for (let size = 1; size < 70; size += 1) {
    const ages = Array.from({ length: size }, (_, at) => Math.floor((size - at) / (1 + (size % 7))));
    const each = new Histogram(BOUNDS);
    for (const age of ages) each.observe(age / 1000);
    expect([observed(ages).count, observed(ages).cumulative()]).toEqual([size, each.cumulative()]);
  }
});

test("an id whose milliseconds begin like those of the one before is no run of it", () => {
  const histogram = new Histogram(BOUNDS);
  observeAges(histogram, [{ id: "1-0" }, { id: "10-0" }, { id: "100-0" }], 1000);
  expect(histogram.sum).toBeCloseTo(0.999 + 0.99 + 0.9);
});

test("where the log's clock is ahead, a command is 0 seconds old, not less", () => {
  expect([observed([-5000, -1]).sum, observed([-5000, -1]).cumulative()[0]]).toEqual([0, 2]);
});

test("an empty batch is no observation", () => {
  expect(observed([]).count).toBe(0);
});
