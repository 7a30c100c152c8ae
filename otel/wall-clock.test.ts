import { expect, test } from "vitest";
import { WallClock } from "./wall-clock.ts";

/** Both clocks in our hands. */
function clocks() {
  const at = { nowMs: 0, sinceEpochMs: 1_000_000 };
  const clock = new WallClock(
    1_000_000,
    () => at.nowMs,
    () => Math.floor(at.sinceEpochMs),
  );
  const pass = (ms: number) => {
    at.nowMs += ms;
    at.sinceEpochMs += ms;
  };
  return { at, clock, pass };
}

test("time is told as finely as it was measured, while the clocks agree", () => {
  const { at, clock, pass } = clocks();
  for (let round = 0; round < 1000; round += 1) {
    pass(0.731);
    expect(clock.sinceEpoch(at.nowMs)).toBe(1_000_000 + at.nowMs);
  }
});

test.each([5_000, -5_000, 3])("a clock that is set is followed, to a millisecond or two: %s ms", (byMs) => {
  const { at, clock, pass } = clocks();
  pass(100.25);
  at.sinceEpochMs += byMs;
  const told = clock.sinceEpoch(at.nowMs);
  expect(Math.abs(told - at.sinceEpochMs)).toBeLessThan(2);
  pass(50);
  expect(clock.sinceEpoch(at.nowMs) - told).toBeCloseTo(50);
});

test("a clock that runs away a little at a time is followed too", () => {
  const { at, clock, pass } = clocks();
  for (let second = 0; second < 600; second += 1) {
    pass(1000);
    at.sinceEpochMs += 0.5;
    expect(Math.abs(clock.sinceEpoch(at.nowMs) - at.sinceEpochMs)).toBeLessThan(2.1);
  }
});
