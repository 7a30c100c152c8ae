import { describe, expect, test } from "vitest";
import { PRODUCER_IDLE_MAX_MS } from "../core/limits.ts";
import type { RawEntry } from "../core/log.ts";
import { judge } from "./reconcile.ts";

const NOW_MS = 10 * PRODUCER_IDLE_MAX_MS;
const entry = (id: string, producer: string, sequence: number, version = "v1"): RawEntry => [
  id,
  [
    Buffer.from(version),
    Buffer.from(`7 {"p":"${producer}","s":${sequence},"t":1,"o":"delete","n":"n","k":"k"}`),
    Buffer.from("b"),
    Buffer.alloc(0),
  ],
];
const foreign = (id: string): RawEntry => [id, [Buffer.from("foo"), Buffer.from("bar")]];
const knowledge = {
  watermark: { id: `${NOW_MS}-5`, ordinal: 9 },
  sequences: new Map([["p", 4]]),
  parked: new Set([`${NOW_MS}-2`]),
};
const kindOf = (raw: RawEntry) => judge(raw, knowledge).kind;

describe("an entry of a log that went back", () => {
  test("is moved when the store does not know it, wherever its id is", () => {
    expect(judge(entry(`${NOW_MS}-3`, "p", 5), knowledge)).toEqual({
      kind: "move",
      id: `${NOW_MS}-3`,
      stamp: { producer: "p", sequence: 5 },
    });
    expect(kindOf(entry(`${NOW_MS}-9`, "p", 5))).toBe("move");
    expect(kindOf(entry(`${NOW_MS}-3`, "other", 1))).toBe("move");
  });

  test("stays when the store has applied it, and goes when it stands in the way of what comes", () => {
    expect(kindOf(entry(`${NOW_MS}-3`, "p", 4))).toBe("keep");
    expect(kindOf(entry(`${NOW_MS}-9`, "p", 4))).toBe("drop");
  });

  test("of a producer so old that the store has forgotten it is history", () => {
    expect(kindOf(entry(`${NOW_MS - PRODUCER_IDLE_MAX_MS - 1}-0`, "forgotten", 1))).toBe("keep");
    // Of a producer that it remembers it is what the sequence says.
    expect(kindOf(entry(`${NOW_MS - PRODUCER_IDLE_MAX_MS - 1}-0`, "p", 5))).toBe("move");
  });

  test("that is no command is known by its outcome", () => {
    expect(kindOf(foreign(`${NOW_MS}-2`))).toBe("keep");
    expect(judge(foreign(`${NOW_MS}-3`), knowledge)).toMatchObject({ kind: "move", stamp: null });
  });

  test("of a newer version is left to a newer process", () => {
    expect(() => kindOf(entry(`${NOW_MS}-9`, "p", 5, "v2"))).toThrow("v2");
  });
});
