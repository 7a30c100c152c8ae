import { beforeAll, beforeEach, expect, test } from "vitest";
import { block, discard, type LetterLab, replay, startLetterLab } from "../../tests/harness/letter-lab.ts";
import { put } from "../../tests/harness/log-entries.ts";
import type { Command } from "../command.ts";

let lab: LetterLab;

beforeAll(async () => {
  lab = await startLetterLab();
});
beforeEach(() => lab.reset());

test("letters are found, replayed and discarded also where somebody pushed the stream's last id ahead", async () => {
  await lab.reader.redis.xadd(lab.keys.dead, "9999-0", "o", "x");
  await lab.poison("k");
  await lab.apply(put("k", "1"), put("k", "2"));
  await lab.heal("k");
  const page = await lab.store.letters(lab.partition, "0-0", 100);
  expect(page.letters.map(({ id }) => id)).toEqual(["1000-1", "1000-2"]);
  expect(await lab.store.letter(lab.partition, "1000-2")).toMatchObject({ value: Buffer.from("2") });
  await lab.apply(replay("1000-1", put("k", "1")), discard("1000-2"));
  expect(await lab.textOf("k")).toBe("1");
  expect(await lab.dead()).toEqual(["9999-0"]);
  expect((await lab.store.letters(lab.partition, "0-0", 100)).letters).toEqual([]);
  expect(await lab.store.letter(lab.partition, "1000-2")).toBe("gone");
});

test("pages go on from where they ended, whatever is removed meanwhile, and tell values by their length", async () => {
  await lab.poison("k");
  await lab.apply(...Array.from({ length: 10 }, (_, i) => put("k", "x".repeat(i))));
  const first = await lab.store.letters(lab.partition, "0-0", 4);
  expect(first.letters.map(({ bytes }) => bytes)).toEqual([0, 1, 2, 3]);
  expect(first.next).toBe("1000-4");
  await lab.apply(discard("1000-4"), discard("1000-5"));
  const second = await lab.store.letters(lab.partition, first.next ?? "", 100);
  expect(second.letters.map(({ id }) => id)).toEqual(["1000-6", "1000-7", "1000-8", "1000-9", "1000-10"]);
  expect(second.next).toBeNull();
  expect(await lab.store.letter(lab.partition, "1000-5")).toBe("gone");
});

test("what replays would come to is told without a change, and as it then comes", async () => {
  await lab.poison("k");
  await lab.poison("w");
  await lab.poison("p");
  await lab.apply(block(put("k", "1")), put("w", "old"), put("p", "x"));
  await lab.heal("k");
  await lab.heal("w");
  await lab.apply(block(put("k", "2")), put("w", "new"));
  const planned = ["1000-1", "1000-2", "1000-3", "1000-4", "1000-5"].map((letter, index) => ({
    letter,
    force: false,
    command: { namespace: "n", awaited: false, acceptedMs: 1, ...(lab.applied[index] ?? {}) } as Command,
  }));
  const before = await lab.reader.snapshot();
  const foreseen = await lab.store.foresee(lab.partition, planned, 1);
  expect(await lab.reader.snapshot()).toEqual(before);
  expect(foreseen).toEqual([
    { outcome: "applied" },
    { outcome: "rejected", reason: "newer-write", by: "1000-5" },
    { outcome: "dead", reason: expect.stringContaining("not a value of ours") },
    { outcome: "applied" },
    { outcome: "rejected", reason: "dead-letter-gone" },
  ]);
  await lab.apply(...planned.map(({ letter, command }) => replay(letter, command)));
  const then = await Promise.all([6, 7, 8, 9, 10].map((ordinal) => lab.outcome(ordinal)));
  expect(then).toEqual([null, ...foreseen.slice(1, 3), null, foreseen[4]]);
});
