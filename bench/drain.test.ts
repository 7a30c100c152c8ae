import { expect, test } from "vitest";
import { drainRate } from "./drain.ts";

test("start and end of the work are not part of the rate", () => {
  const steady = Array.from({ length: 9 }, (_, i) => ({ atMs: 5_000 + i * 100, done: 100 + i * 100 }));
  const samples = [{ atMs: 0, done: 0 }, ...steady, { atMs: 9_000, done: 1_000 }];
  expect(drainRate(1_000, samples)).toBeCloseTo(1_000);
});

test("work that was over before it was seen has no rate", () => {
  const samples = [
    { atMs: 0, done: 0 },
    { atMs: 40, done: 1_000 },
  ];
  expect(() => drainRate(1_000, samples)).toThrow("give it more");
});
