import { describe, expect, test } from "vitest";
import type { LogPosition } from "../core/functions/append.ts";
import type { RawEntry } from "../core/log.ts";
import { judgeMismatch, matches } from "./log-match.ts";

const HEADER = '{"p":"p","s":1,"t":1,"o":"delete","n":"n","k":"k"}';
const entry = (ordinal: number, id = `10-${ordinal}`): RawEntry => [
  id,
  [Buffer.from("v1"), Buffer.from(`${ordinal} ${HEADER}`), Buffer.from("b"), Buffer.alloc(0)],
];
const foreign = (id: string): RawEntry => [id, [Buffer.from("foo"), Buffer.from("bar")]];
const log = (more: Partial<LogPosition> = {}): LogPosition => ({
  lastId: "10-20",
  ordinal: 20,
  floor: "0-0",
  held: 20,
  era: 0,
  fenced: false,
  reconciled: null,
  ...more,
});
const WATERMARK = { id: "10-9", ordinal: 9 };

describe("a log matches the store", () => {
  test("when it holds the watermark's command under the watermark's id", () => {
    expect(matches(entry(9), log(), WATERMARK)).toBe(true);
    expect(matches(foreign("10-9"), log(), WATERMARK)).toBe(true);
  });

  test("when there is nothing to compare: nothing applied yet, or the entry trimmed", () => {
    expect(matches(entry(1), log(), { id: "0-0", ordinal: 0 })).toBe(true);
    expect(matches(undefined, log(), { id: "0-0", ordinal: 0 })).toBe(true);
    expect(matches(entry(10), log({ floor: "10-9" }), WATERMARK)).toBe(true);
  });

  test("not when another command stands there, or none", () => {
    expect(matches(entry(8, "10-9"), log(), WATERMARK)).toBe(false);
    expect(matches(entry(10), log(), WATERMARK)).toBe(false);
    expect(matches(undefined, log(), WATERMARK)).toBe(false);
  });
});

describe("a log that does not match", () => {
  test("has another history where its count has come as far by another way: frozen", () => {
    expect(judgeMismatch(entry(9, "10-7"), entry(10), log(), WATERMARK).state).toBe("frozen");
    expect(judgeMismatch(entry(4), entry(5, "10-12"), log(), WATERMARK).state).toBe("frozen");
    expect(judgeMismatch(entry(4), entry(5, "10-9"), log(), WATERMARK).state).toBe("frozen");
    expect(judgeMismatch(undefined, entry(1, "10-12"), log(), WATERMARK).state).toBe("frozen");
    expect(judgeMismatch(entry(20, "10-7"), undefined, log(), WATERMARK).state).toBe("frozen");
    expect(judgeMismatch(entry(9, "10-7"), undefined, log({ ordinal: 9 }), WATERMARK).state).toBe("frozen");
  });

  test("has a hole where what the store needs next is missing: lost-base", () => {
    expect(judgeMismatch(entry(4), entry(12), log(), WATERMARK)).toMatchObject({
      state: "lost-base",
      reason: "the log lacks 2 commands after 10-9",
    });
    expect(judgeMismatch(undefined, undefined, log(), WATERMARK).state).toBe("lost-base");
  });

  test("may lack what is applied: it goes on", () => {
    expect(judgeMismatch(entry(8), entry(10), log(), WATERMARK).state).toBe("ok");
    expect(judgeMismatch(entry(8), undefined, log({ ordinal: 9 }), WATERMARK).state).toBe("ok");
  });
});
