import { beforeEach, describe, expect, test } from "vitest";
import { OperatingError } from "../../core/errors.ts";
import type { Change } from "./changes.ts";
import type { Page, PartitionReader } from "./partition-reader.ts";
import { PartitionTail } from "./partition-tail.ts";
import type { Cursor } from "./position.ts";

const RECENT_MAX = 10;

/** Pages to come, and what is asked for. */
let pages: (Page | Error)[];
let asked: Cursor[];
let beginnings: Cursor[];
let reported: unknown[];
let tail: PartitionTail;
let seen: number;

const at = (n: number, more: Partial<Cursor> = {}): Cursor => ({ id: `10-${n}`, place: 0, era: 0, ...more });
const change = (n: number, place = 1, last = true): Change => ({
  ...{ id: `10-${n}`, place, last, namespace: "n", key: `k${n}` },
  ...{ event: "put", operation: "put" },
});
const pageOf = (from: number, to: number, era = 0): Page => ({
  kind: "changes",
  changes: Array.from({ length: to - from + 1 }, (_, index) => change(from + index)),
  upTo: at(to, { era }),
});

beforeEach(() => {
  [pages, asked, beginnings, reported, seen] = [[], [], [at(0)], [], 0];
  const reader = {
    now: async () => beginnings.shift() ?? at(99),
    read: async (_: number, cursor: Cursor) => {
      asked.push(cursor);
      const page = pages.shift() ?? { kind: "nothing" };
      if (page instanceof Error) throw page;
      return page;
    },
  };
  tail = new PartitionTail(3, reader as unknown as PartitionReader, RECENT_MAX, (error) => reported.push(error));
});

/** Begins to watch, and returns what ends it once all pages are read. */
async function watch(...given: (Page | Error)[]): Promise<() => void> {
  pages = given;
  const stop = tail.watch(() => {
    seen += 1;
  });
  await expect.poll(() => pages.length === 0 && asked.length > given.length).toBe(true);
  return stop;
}

const ids = (cursor: Cursor, max = 100) => tail.after(cursor, max)?.changes.map(({ id }) => id);

describe("a tail", () => {
  test("has all that came since somebody watches, and wakes him", async () => {
    const stop = await watch(pageOf(1, 2), pageOf(3, 4));
    expect(seen).toBe(3);
    expect(ids(at(0))).toEqual(["10-1", "10-2", "10-3", "10-4"]);
    expect(ids(at(3))).toEqual(["10-4"]);
    expect(tail.after(at(4), 100)).toEqual({ changes: [], upTo: at(4) });
    expect(tail.after(at(0), 2)).toMatchObject({ changes: [{ id: "10-1" }, { id: "10-2" }], upTo: at(2) });
    // Who has read further by himself.
    expect(tail.after(at(7), 100)).toEqual({ changes: [], upTo: at(7) });
    stop();
  });

  test("keeps so many, and sends whoever is before them to read by himself", async () => {
    const stop = await watch(pageOf(1, 8), pageOf(9, 13));
    expect(tail.after(at(2), 100)).toBeNull();
    expect(ids(at(3))).toHaveLength(RECENT_MAX);
    expect(tail.after(at(3, { place: 1 }), 100)).toBeNull();
    stop();
  });

  test("goes on in the middle of an entry", async () => {
    const changes = [change(1, 1, false), change(1, 2, false), change(1, 3), change(2)];
    const stop = await watch({ kind: "changes", changes, upTo: at(2) });
    expect(tail.after(at(0), 2)?.upTo).toEqual(at(1, { place: 2 }));
    const rest = tail.after(at(1, { place: 2 }), 100);
    expect(rest?.changes.map(({ id, place }) => [id, place])).toEqual([
      ["10-1", 3],
      ["10-2", 1],
    ]);
    expect(ids(at(1))).toEqual(["10-2"]);
    stop();
  });

  test("begins anew where the log was brought into line; only who stood right there goes on with it", async () => {
    const stop = await watch(pageOf(1, 4), pageOf(20, 21, 1));
    expect(ids(at(4))).toEqual(["10-20", "10-21"]);
    expect(ids(at(4, { era: 1 }))).toEqual(["10-20", "10-21"]);
    expect(tail.after(at(4), 100)?.upTo).toEqual(at(21, { era: 1 }));
    for (const other of [at(3), at(5), at(20), at(20, { era: 2 })]) expect(tail.after(other, 100)).toBeNull();
    stop();
  });

  test("begins anew where it finds a gap: whoever watches finds it too", async () => {
    beginnings = [at(0), at(50)];
    const stop = await watch(pageOf(1, 4), { kind: "gone", restart: at(40) }, pageOf(51, 52));
    expect(tail.after(at(4), 100)).toBeNull();
    expect(ids(at(50))).toEqual(["10-51", "10-52"]);
    stop();
  });

  test("goes on where it was when a Redis was away, and tells of errors that should not be", async () => {
    const away = new OperatingError("log-unavailable", "away");
    const stop = await watch(pageOf(1, 1), away, new Error("broken"), pageOf(2, 2));
    expect(ids(at(0))).toEqual(["10-1", "10-2"]);
    expect(reported).toMatchObject([{ message: "broken" }]);
    stop();
  });

  test("asks for nothing while nobody watches", async () => {
    const stop = await watch(pageOf(1, 2));
    stop();
    await expect.poll(() => tail.after(at(0), 100)).toBeNull();
    const before = asked.length;
    tail.wake();
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(asked.length).toBe(before);
  });
});
