import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WAITERS_MAX } from "../core/limits.ts";
import { AppliedFeed } from "./applied-feed.ts";

const message = (watermark: string, results: Record<string, string> = {}) => JSON.stringify({ watermark, results });

let asked = 0;
let stored = "0-0";
let feed: AppliedFeed;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  asked = 0;
  stored = "0-0";
  const source = {
    watermark: () => {
      asked += 1;
      return Promise.resolve({ id: stored, ordinal: 0 });
    },
  };
  feed = new AppliedFeed(source, 2);
  feed.start();
});

afterEach(() => {
  feed.stop();
  vi.useRealTimers();
});

describe("waiting for a command", () => {
  test("ends with the result that is broadcast, for exactly those that the watermark has passed", async () => {
    const waits = ["10-1", "10-2", "11-0"].map((id) => feed.wait(0, id, 1000));
    feed.hear(0, message("10-2 2", { "10-1": "applied created" }));
    expect(await waits[0]).toEqual({ passed: true, result: { outcome: "applied", effect: "created" } });
    expect(await waits[1]).toEqual({ passed: true });
    expect(feed.waiting).toBe(1);
    await vi.advanceTimersByTimeAsync(1100);
    expect(await waits[2]).toEqual({ passed: false });
    expect(feed.waiting).toBe(0);
  });

  test("whatever the order in which they came, nobody is forgotten", async () => {
    const ids = ["10-5", "9-1", "10-1", "10-10", "8-0", "10-2"];
    const waits = ids.map((id) => feed.wait(1, id, 1000));
    feed.hear(1, message("10-10 9"));
    expect((await Promise.all(waits)).every(({ passed }) => passed)).toBe(true);
  });

  test("a result that was broadcast before anybody waited is not lost", async () => {
    feed.hear(0, message("10-2 2", { "10-2": "applied counted 42" }));
    expect(await feed.wait(0, "10-2", 1000)).toEqual({
      passed: true,
      result: { outcome: "applied", effect: "counted", value: "42" },
    });
  });

  test("a lost broadcast delays it by a moment, no more: the store is asked", async () => {
    const wait = feed.wait(0, "10-1", 5000);
    stored = "10-1";
    await vi.advanceTimersByTimeAsync(120);
    expect(await wait).toEqual({ passed: true });
    expect(asked).toBeGreaterThan(0);
  });

  test("a look at the store that is quicker than the broadcast takes nobody's result away", async () => {
    const wait = feed.wait(0, "10-1", 5000);
    stored = "10-1";
    await vi.advanceTimersByTimeAsync(60);
    expect(asked).toBe(1);
    // Whoever registers now must hear it, too.
    const later = feed.wait(0, "10-1", 5000);
    feed.hear(0, message("10-1 1", { "10-1": "applied counted 42" }));
    const result = { outcome: "applied", effect: "counted", value: "42" };
    expect(await Promise.all([wait, later])).toEqual([
      { passed: true, result },
      { passed: true, result },
    ]);
  });

  test("the store is asked only where somebody waits and nothing was heard", async () => {
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toBe(0);
  });

  test("a client that goes away gives its place back at once, and one that has gone takes none", async () => {
    const client = new AbortController();
    const wait = feed.wait(0, "10-1", 30_000, client.signal);
    expect(feed.waiting).toBe(1);
    client.abort();
    expect(await wait).toEqual({ passed: false });
    expect(feed.waiting).toBe(0);
    expect(await feed.wait(0, "10-1", 30_000, client.signal)).toEqual({ passed: false });
    expect(feed.waiting).toBe(0);
  });

  test("stopping releases whoever waits, and nobody waits after it", async () => {
    const wait = feed.wait(0, "10-1", 30_000);
    feed.stop();
    expect(await wait).toEqual({ passed: false });
    expect(await feed.wait(0, "10-1", 30_000)).toEqual({ passed: false });
  });

  test("beyond the bound it is refused, and those before it are not forgotten", async () => {
    const waits = Array.from({ length: WAITERS_MAX }, (_, i) => feed.wait(0, `${1 + (i % 7)}-${i}`, 30_000));
    await expect(feed.wait(0, "10-1", 30_000)).rejects.toMatchObject({ code: "overloaded" });
    feed.hear(0, message("9-0 1"));
    expect((await Promise.all(waits)).every(({ passed }) => passed)).toBe(true);
    expect(feed.waiting).toBe(0);
  });

  test("a message that is not ours changes nothing", async () => {
    const wait = feed.wait(0, "10-1", 100);
    for (const text of ["", "{}", "null", '{"watermark":1,"results":{}}', '{"watermark":"x y","results":{}}'])
      feed.hear(0, text);
    await vi.advanceTimersByTimeAsync(200);
    expect(await wait).toEqual({ passed: false });
  });

  test("a jump of the watermark releases nobody as if the command had been applied", async () => {
    const wait = feed.wait(0, "10-1", 30_000);
    const elsewhere = feed.wait(1, "10-1", 30_000);
    feed.hear(0, JSON.stringify({ watermark: "20-0 20", results: {}, jump: true }));
    expect(await wait).toEqual({ passed: false });
    expect(feed.waiting).toBe(1);
    feed.stop();
    await elsewhere;
  });

  test("results are kept for some seconds, not for ever", async () => {
    feed.hear(0, message("10-2 2", { "10-2": "applied created" }));
    await vi.advanceTimersByTimeAsync(7000);
    expect(await feed.wait(0, "10-2", 1000)).toEqual({ passed: true });
  });
});

describe("what was served or heard of", () => {
  test("is the least that may be served after it, whatever the store says then", () => {
    expect(feed.admit(0, { id: "10-5", ordinal: 5 })).toBe(true);
    expect(feed.admit(0, { id: "10-4", ordinal: 4 })).toBe(false);
    expect(feed.admit(0, { id: "10-5", ordinal: 5 })).toBe(true);
    feed.hear(0, message("10-9 9"));
    expect(feed.admit(0, { id: "10-8", ordinal: 8 })).toBe(false);
    feed.raise(0, { id: "10-12", ordinal: 12 });
    feed.raise(0, { id: "10-3", ordinal: 3 });
    expect(feed.floor(0)).toEqual({ id: "10-12", ordinal: 12 });
    feed.hear(0, message("10-2 2"));
    expect(feed.admit(0, { id: "10-11", ordinal: 11 })).toBe(false);
    expect(feed.admit(1, { id: "1-0", ordinal: 1 })).toBe(true);
  });

  test("is waited for again by whoever finds the store behind it", async () => {
    feed.hear(0, message("10-9 9"));
    expect(feed.admit(0, { id: "0-0", ordinal: 0 })).toBe(false);
    const wait = feed.wait(0, "10-9", 1000);
    feed.hear(0, message("10-8 8"));
    expect(feed.waiting).toBe(1);
    feed.hear(0, message("10-9 9"));
    expect(await wait).toEqual({ passed: true });
  });

  test("can be given up when nothing can bring it back: no read waits for ever", () => {
    feed.hear(0, message("10-9 9"));
    feed.lower(0, { id: "10-4", ordinal: 4 });
    expect(feed.admit(0, { id: "10-4", ordinal: 4 })).toBe(true);
  });
});
