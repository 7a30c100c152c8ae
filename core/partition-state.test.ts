import { describe, expect, test } from "vitest";
import type { LogPosition } from "./functions/append.ts";
import { WATERMARK_ZERO } from "./functions/apply.ts";
import { backlogOf, examine, formatOwnerWord, parseOwnerWord } from "./partition-state.ts";

const log = (more: Partial<LogPosition> = {}): LogPosition => ({
  lastId: "100-0",
  ordinal: 50,
  floor: "0-0",
  held: 50,
  era: 0,
  fenced: false,
  reconciled: null,
  ...more,
});

describe("a partition", () => {
  test("goes on from any watermark that the log still holds", () => {
    expect(examine(log(), { id: "100-0", ordinal: 50 }).state).toBe("ok");
    expect(examine(log(), WATERMARK_ZERO).state).toBe("ok");
    expect(examine(log({ floor: "40-0", held: 10 }), { id: "40-0", ordinal: 40 }).state).toBe("ok");
    expect(examine(log({ ordinal: 0, lastId: "0-0", held: 0 }), WATERMARK_ZERO).state).toBe("ok");
  });

  test("halts when the log was trimmed beyond its watermark, an empty store included", () => {
    expect(examine(log({ floor: "40-0" }), { id: "39-5", ordinal: 39 }).state).toBe("lost-base");
    expect(examine(log({ floor: "40-0" }), WATERMARK_ZERO).state).toBe("lost-base");
  });

  test("halts when the log lost its entries but not its count", () => {
    expect(examine(log({ held: 0 }), { id: "40-0", ordinal: 40 }).state).toBe("lost-base");
  });

  test("freezes when the log knows less than the store has applied", () => {
    expect(examine(log(), { id: "101-0", ordinal: 51 }).state).toBe("frozen");
    expect(examine(log({ ordinal: 0, lastId: "0-0", held: 0 }), { id: "1-0", ordinal: 1 }).state).toBe("frozen");
  });

  test("is frozen for as long as its log is fenced, whatever the counts say", () => {
    expect(examine(log({ fenced: true }), { id: "100-0", ordinal: 50 }).state).toBe("frozen");
  });

  test("is told by its owner word for word, and what is none of ours is no word", () => {
    const word = { state: "recovering", reason: "why", reached: { id: "9-1", ordinal: 7 } } as const;
    expect(parseOwnerWord(formatOwnerWord(word))).toEqual(word);
    expect(parseOwnerWord('{"state":"ok","reason":""}')).toEqual({ state: "ok", reason: "", reached: null });
    for (const text of ["", "null", '{"state":"fine"}', '{"state":"ok","reached":"x"}']) {
      expect(parseOwnerWord(text)).toBeNull();
    }
  });

  test("never has a backlog below zero", () => {
    expect(backlogOf(log(), { id: "40-0", ordinal: 40 })).toBe(10);
    expect(backlogOf(log(), { id: "101-0", ordinal: 51 })).toBe(0);
  });
});
