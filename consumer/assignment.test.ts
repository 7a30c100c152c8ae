import { describe, expect, test } from "vitest";
import { assign } from "./assignment.ts";

const names = (count: number) => Array.from({ length: count }, (_, i) => `consumer-${i}`);

describe("assignment", () => {
  test("is even: nobody has more than one partition more than another", () => {
    for (const partitions of [1, 2, 7, 16, 64, 100]) {
      for (let count = 1; count <= 20; count++) {
        const loads = new Map(names(count).map((name) => [name, 0]));
        for (const owner of assign(partitions, names(count)).values()) loads.set(owner, (loads.get(owner) ?? 0) + 1);
        expect(Math.max(...loads.values()) - Math.min(...loads.values())).toBeLessThanOrEqual(1);
        expect([...loads.values()].reduce((sum, load) => sum + load)).toBe(partitions);
      }
    }
  });

  test("is the same for everybody, however they learnt of each other", () => {
    const consumers = names(5);
    expect(assign(16, [...consumers].reverse())).toEqual(assign(16, consumers));
    expect(assign(16, [...consumers, "consumer-1"])).toEqual(assign(16, consumers));
  });

  test("moves few partitions beyond those that must when one comes or goes", () => {
    for (let count = 2; count <= 10; count++) {
      const before = assign(64, names(count));
      const after = assign(64, names(count + 1));
      const moved = [...after].filter(([partition, owner]) => before.get(partition) !== owner).length;
      expect(moved).toBeLessThanOrEqual(3 * Math.ceil(64 / (count + 1)));
    }
  });

  test("of nobody is empty", () => {
    expect(assign(16, []).size).toBe(0);
  });
});
