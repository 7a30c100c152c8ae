import { expect, test } from "vitest";
import { median, type Row, ratio, reached } from "./row.ts";

const row: Row = {
  name: "put",
  what: "accepted PUT/s",
  unit: "1/s",
  ours: { name: "millrace", rounds: [90, 110, 400] },
  baseline: { name: "bare", rounds: [100, 90, 130, 100] },
  targets: [],
};

test("the median is not moved by one wild round", () => {
  expect(median(row.ours.rounds)).toBe(110);
  expect(median(row.baseline.rounds)).toBe(100);
});

test("a median of nothing is an error, not a figure", () => {
  expect(() => median([])).toThrow("no figures");
});

test("rounds taken in turn are compared one by one: a machine that gets slower does so for both", () => {
  const turns = {
    ...row,
    ours: { name: "on", rounds: [90, 45, 30] },
    baseline: { name: "off", rounds: [100, 50, 40] },
  };
  expect(ratio(turns)).toBeCloseTo(0.9);
});

test("a target binds the figure it names, from the side it names", () => {
  expect(ratio(row)).toBeCloseTo(1.1);
  expect(reached(row, { of: "ratio", bound: "at least", value: 1.1 })).toBe(true);
  expect(reached(row, { of: "ratio", bound: "at most", value: 1 })).toBe(false);
  expect(reached(row, { of: "ours", bound: "at least", value: 111 })).toBe(false);
  expect(reached(row, { of: "ours", bound: "at most", value: 110 })).toBe(true);
});
