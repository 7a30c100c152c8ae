import { describe, expect, test } from "vitest";
import { TRIM_SETTLE_MS } from "../core/limits.ts";
import { keepSample, pressurePoint, type Sample, settledSample } from "./trimmer.ts";

const sample = (ordinal: number, seenMs: number): Sample => ({ id: `${ordinal}-0`, ordinal, seenMs });
const kept = (...all: Sample[]): Sample[] => {
  const samples: Sample[] = [];
  for (const one of all) keepSample(samples, one);
  return samples;
};

describe("what may go before its time", () => {
  test("was applied long enough ago, by a clock that goes on while no write is taken", () => {
    const samples = kept(sample(1, 0), sample(2, 2_000), sample(3, 4_000));
    expect(settledSample(samples, TRIM_SETTLE_MS - 1)).toBeNull();
    expect(settledSample(samples, TRIM_SETTLE_MS)?.ordinal).toBe(1);
    expect(settledSample(samples, TRIM_SETTLE_MS + 3_999)?.ordinal).toBe(2);
    expect(settledSample(samples, TRIM_SETTLE_MS + 4_000)?.ordinal).toBe(3);
  });

  test("is not what the store has lost since and got again just now", () => {
    const samples = kept(sample(100, 0), sample(200, 2_000), sample(150, 4_000), sample(200, 6_000));
    expect(settledSample(samples, TRIM_SETTLE_MS + 2_000)?.ordinal).toBe(100);
    expect(settledSample(samples, TRIM_SETTLE_MS + 6_000)?.ordinal).toBe(200);
  });

  test("is nothing while nothing is applied", () => {
    expect(settledSample(kept(sample(0, 0)), TRIM_SETTLE_MS * 2)).toBeNull();
  });

  test("is found however often the memory is looked at meanwhile", () => {
    const samples: Sample[] = [];
    for (let ms = 0; ms <= 20_000; ms += 250) keepSample(samples, sample(1 + ms, ms));
    expect(samples.length).toBeLessThan(30);
    expect(samples.at(-1)?.seenMs).toBe(20_000);
    const age = 20_000 - (settledSample(samples, 20_000)?.seenMs ?? 0);
    expect(age).toBeGreaterThanOrEqual(TRIM_SETTLE_MS);
    expect(age).toBeLessThan(TRIM_SETTLE_MS + 2_000);
  });

  test("goes by quarters of its time, and never past what has settled", () => {
    const settled: Sample = { id: "2000-7", ordinal: 9, seenMs: 0 };
    expect(pressurePoint(settled, "1000-3")).toBe("1250-0");
    expect(pressurePoint(settled, "1998-0")).toBe("2000-7");
    expect(pressurePoint(settled, "2000-7")).toBe("2000-7");
    // The oldest entry is younger than what has settled.
    expect(pressurePoint(settled, "3000-0")).toBe("2000-7");
  });
});
