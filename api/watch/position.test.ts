import { describe, expect, test } from "vitest";
import { randomFrom } from "../../tests/faults/suite/random.ts";
import { type Cursor, decodePosition, encodePosition } from "./position.ts";

const NOW_MS = 1_795_247_404_350;
const SEED = 20_261_121;

describe("a position", () => {
  test("comes back as it was, whatever the partitions stand at: 500 of them, seeded", () => {
    const random = randomFrom(SEED);
    const cursorOf = (): Cursor => {
      const ms = random.pick([
        0,
        NOW_MS,
        NOW_MS - random.integer(0, 999),
        NOW_MS - random.integer(0, 40) * 86_400_000,
        2 ** 50 - 1,
      ]);
      const sequence = random.pick([0, random.integer(0, 500), 999_999_999_999_999]);
      const kind = random.integer(0, 9);
      return {
        id: `${ms}-${sequence}`,
        era: kind === 0 ? random.integer(1, 2000) : 0,
        place: kind === 1 ? random.integer(1, 200) : 0,
      };
    };
    for (let run = 0; run < 500; run++) {
      const cursors = Array.from({ length: random.pick([1, 2, 16, 64]) }, cursorOf);
      const token = encodePosition(cursors);
      expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(decodePosition(token, cursors.length)).toEqual(cursors);
    }
  });

  test("two that differ have different tokens", () => {
    const tokens = ["0-0", "1-0", "0-1", "5-7", "7-5", `${NOW_MS}-0`, `${NOW_MS}-1`, `${NOW_MS + 1}-0`].flatMap((id) =>
      [0, 1, 300].flatMap((era) => [0, 1, 129].map((place) => encodePosition([{ id, era, place }]))),
    );
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  test("is short: 16 partitions that were written to within the hour take at most 140 characters", () => {
    const random = randomFrom(SEED);
    const cursors = Array.from({ length: 16 }, () => ({
      id: `${NOW_MS - random.integer(0, 3_600_000)}-${random.integer(0, 500)}`,
      era: 0,
      place: 0,
    }));
    expect(encodePosition(cursors).length).toBeLessThanOrEqual(140);
    const fresh = Array.from({ length: 16 }, () => ({ id: "0-0", era: 0, place: 0 }));
    expect(encodePosition(fresh).length).toBeLessThanOrEqual(50);
  });

  const token = encodePosition([
    { id: `${NOW_MS}-3`, era: 2, place: 1 },
    { id: "0-0", era: 0, place: 0 },
  ]);
  test.each([
    ["nothing", ""],
    ["no base64url", "a b"],
    ["padded", `${token}=`],
    ["cut off", token.slice(0, -2)],
    ["longer than it is", `${token}AA`],
    ["of another version", `Ag${token.slice(2)}`],
    ["a revision", "03-10-2"],
    ["an integer without end", "_".repeat(40)],
    ["random", "AQIDBAUGBwg"],
  ])("%s is none", (_, text) => expect(decodePosition(text, 2)).toBeNull());

  test("of other partitions is none, and whatever a client makes up is none or stands for itself: 20,000, seeded", () => {
    expect(decodePosition(token, 1)).toBeNull();
    expect(decodePosition(token, 3)).toBeNull();
    const random = randomFrom(SEED);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".split("");
    for (let run = 0; run < 20_000; run++) {
      const made = `AQ${Array.from({ length: random.integer(0, 24) }, () => random.pick(letters)).join("")}`;
      const cursors = decodePosition(made, random.integer(1, 3));
      if (cursors !== null) expect(encodePosition(cursors)).toBe(made);
    }
  });
});
