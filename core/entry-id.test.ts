import { describe, expect, test } from "vitest";
import { compareIds, formatRevision, idAfter, parseRevision } from "./entry-id.ts";
import { partitionOf, partitionsOf } from "./partition.ts";

describe("entry ids", () => {
  test("are compared as numbers, not as text", () => {
    const ordered = ["0-0", "9-10", "10-2", "10-10", "1795245173585-9", "1795245173585-10"];
    const shuffled = [...ordered].reverse().sort(compareIds);
    expect(shuffled).toEqual(ordered);
  });

  test("of one append follow each other", () => {
    expect(idAfter("10-9", 2)).toBe("10-11");
  });
});

describe("revisions", () => {
  test("round-trip", () => {
    for (const partition of [0, 7, 15, 99, 100, 1023]) {
      const text = formatRevision(partition, "1795245173585-12");
      expect(parseRevision(text, 1024)).toEqual({ partition, id: "1795245173585-12" });
    }
  });

  test.each([
    "",
    "7-1-1",
    "07-1",
    "07-1-1-1",
    "007-1-1",
    "07-01-1",
    "07-1-01",
    "16-1-1",
    "07-1-x",
    " 07-1-1",
    "07--1-1",
    "07-1-99999999999999999",
  ])("refuses %j", (text) => {
    expect(parseRevision(text, 16)).toBeNull();
  });
});

describe("partitions", () => {
  test("a {tag} inside the key routes by the tag alone", () => {
    const together = ["cart{42}", "order{42}/items", "{42}"].map((key) => partitionOf("shop", key, 16));
    expect(new Set(together).size).toBe(1);
  });

  test("all keys of a pinned namespace share one partition, whatever tags are in them", () => {
    const keys = Array.from({ length: 100 }, (_, i) => `{${i}}/${i}`);
    expect(new Set(keys.map((key) => partitionOf("@orders", key, 16)))).toEqual(new Set(partitionsOf("@orders", 16)));
    const pins = new Set(Array.from({ length: 200 }, (_, i) => partitionOf(`@n${i}`, "k", 16)));
    expect(pins.size).toBe(16);
  });

  test("any other namespace may have keys in every partition", () => {
    expect(partitionsOf("orders", 4)).toEqual([0, 1, 2, 3]);
  });

  test("keys spread over all partitions", () => {
    const counts = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i++)
      counts[partitionOf("n", `key:${i}`, 16)] = (counts[partitionOf("n", `key:${i}`, 16)] ?? 0) + 1;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1200);
  });

  test("the rule never changes: it is part of the data format", () => {
    expect(["a", "b", "greeting", "schlüssel", "a/b"].map((key) => partitionOf("demo", key, 16))).toEqual([
      3, 0, 15, 0, 1,
    ]);
    expect(["@millrace", "@demo", "@orders"].map((name) => partitionOf(name, "k", 16))).toEqual([3, 15, 5]);
  });
});
