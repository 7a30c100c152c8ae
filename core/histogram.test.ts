import { expect, test } from "vitest";
import { Histogram } from "./histogram.ts";

test("a figure is counted at the first bound that it does not pass, and at every later one", () => {
  const histogram = new Histogram([1, 5, 10]);
  for (const figure of [0, 1, 1.1, 5, 10]) histogram.observe(figure);
  expect(histogram.cumulative()).toEqual([2, 4, 5]);
  expect(histogram.count).toBe(5);
  expect(histogram.sum).toBeCloseTo(17.1);
});

test("what is beyond all bounds is in count and sum alone", () => {
  const histogram = new Histogram([1]);
  histogram.observe(7);
  expect([histogram.cumulative(), histogram.count, histogram.sum]).toEqual([[0], 1, 7]);
});

test("many of one size count as many", () => {
  const [one, many] = [new Histogram([2, 4]), new Histogram([2, 4])];
  for (let i = 0; i < 300; i += 1) one.observe(3);
  many.observe(3, 300);
  expect([many.cumulative(), many.sum]).toEqual([one.cumulative(), one.sum]);
});
