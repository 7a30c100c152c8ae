import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { block, discard, type LetterLab, NO_LETTERS, replay, startLetterLab } from "../../tests/harness/letter-lab.ts";
import { at, entries, increment, put } from "../../tests/harness/log-entries.ts";
import type { Command } from "../command.ts";
import { type ApplicableEntry, WATERMARK_ZERO } from "./apply.ts";

let lab: LetterLab;

beforeAll(async () => {
  lab = await startLetterLab();
});
beforeEach(() => lab.reset());

const expectNothingLeft = async () => expect(await lab.kept()).toEqual(NO_LETTERS);

describe("a replay", () => {
  test("applies its letter and removes it, once: the second of two finds it gone and does nothing", async () => {
    await lab.poison("c");
    await lab.apply(increment("c", "5"));
    await lab.heal("c");
    await lab.apply(replay("1000-1", increment("c", "5")), replay("1000-1", increment("c", "5")));
    expect(await lab.textOf("c")).toBe("5");
    expect(await lab.outcome(3)).toEqual({ outcome: "rejected", reason: "dead-letter-gone" });
    await expectNothingLeft();
  });

  test.each([
    ["a put", put("k", "new")],
    ["a delete of what is not there", { key: "k" }],
  ])("yields to %s that came after its letter, and its letter stays", async (_, newer) => {
    await lab.poison("k");
    await lab.apply(put("k", "old"));
    await lab.heal("k");
    await lab.apply(newer);
    const before = await lab.textOf("k");
    await lab.apply(replay("1000-1", put("k", "old")));
    expect(await lab.outcome(3)).toEqual({ outcome: "rejected", reason: "newer-write", by: "1000-2" });
    expect(await lab.textOf("k")).toBe(before);
    expect(await lab.dead()).toEqual(["1000-1"]);
    expect(await lab.store.letter(lab.partition, "1000-1")).toMatchObject({
      letter: { attempts: 1, lastReplay: null },
    });
  });

  test("that is forced does not yield, nor to the condition", async () => {
    await lab.poison("k");
    await lab.apply({ ...put("k", "old"), condition: { kind: "none-match", id: "*" } });
    await lab.heal("k");
    await lab.apply(put("k", "new"));
    await lab.apply(replay("1000-1", { ...put("k", "old"), condition: { kind: "none-match", id: "*" } }, true));
    expect(await lab.textOf("k")).toBe("old");
    await expectNothingLeft();
  });

  test("does not yield to what was applied in the same call before its letter, or to a write that was refused", async () => {
    await lab.apply(put("k", "first"));
    await lab.heal("k");
    await lab.poison("k");
    await lab.apply(put("k", "parked"));
    await lab.heal("k");
    await lab.apply({ ...put("k", "refused"), condition: { kind: "match", id: "*" } });
    expect(await lab.outcome(3)).toMatchObject({ outcome: "rejected" });
    await lab.apply(replay("1000-2", put("k", "parked")));
    expect(await lab.textOf("k")).toBe("parked");
  });

  test("that fails keeps its letter and the first error, and tells the last one and how often", async () => {
    await lab.poison("k");
    await lab.apply(increment("k"));
    await lab.heal("k");
    await lab.reader.redis.set(lab.keys.value("n", "k"), "1-1\ttext/plain\nno number");
    await lab.apply(replay("1000-1", increment("k")));
    await lab.reader.redis.del(lab.keys.value("n", "k"));
    await lab.reader.redis.sadd(lab.keys.value("n", "k"), "x");
    await lab.apply(replay("1000-1", increment("k")), replay("1000-1", increment("k")));
    expect(await lab.dead()).toEqual(["1000-1"]);
    expect(await lab.store.letter(lab.partition, "1000-1")).toMatchObject({
      letter: {
        reason: expect.stringContaining("not a value of ours"),
        attempts: 4,
        lastReplay: "1000-4",
        lastReason: expect.stringContaining("WRONGTYPE"),
      },
    });
    expect(await lab.outcome(2)).toEqual({ outcome: "rejected", reason: "not-an-integer" });
    expect(await lab.outcome(3)).toMatchObject({ outcome: "dead" });
    await lab.heal("k");
    await lab.apply(replay("1000-1", increment("k")));
    expect(await lab.textOf("k")).toBe("1");
    await expectNothingLeft();
  });

  test("keeps the condition of what it replays", async () => {
    await lab.poison("k");
    const create = { ...put("k", "mine"), condition: { kind: "none-match", id: "*" } } as const;
    await lab.apply(create);
    await lab.heal("k");
    await lab.reader.redis.set(lab.keys.value("n", "k"), "1-1\ttext/plain\nsomebody's");
    await lab.apply(replay("1000-1", create));
    expect(await lab.outcome(2)).toEqual({ outcome: "rejected", reason: "condition-not-met" });
    expect(await lab.textOf("k")).toBe("somebody's");
    expect(await lab.dead()).toEqual(["1000-1"]);
  });

  test("of a letter of another key changes nothing", async () => {
    await lab.poison("k");
    await lab.apply(put("k", "v"), replay("1000-1", put("other", "v")));
    expect(await lab.outcome(2)).toMatchObject({ outcome: "dead" });
    expect(await lab.textOf("other")).toBeNull();
    expect(await lab.dead()).toEqual(["1000-1"]);
  });

  test("whose producer's sequence was applied before does not touch a letter", async () => {
    await lab.poison("k");
    await lab.apply(put("k", "v"), put("other", "v"));
    await lab.heal("k");
    const again = entries([discard("1000-1")], 3).map((entry) => ({ ...entry, stamp: { producer: "p", sequence: 2 } }));
    expect(await lab.store.apply(lab.partition, at(2), again as ApplicableEntry[])).toMatchObject({ repeated: 1 });
    expect(await lab.dead()).toEqual(["1000-1"]);
  });
});

describe("a discard", () => {
  test("removes its letter and nothing else, and a second one finds it gone", async () => {
    await lab.poison("k");
    await lab.apply(put("k", "1"), put("k", "2"), put("other", "x"), discard("1000-1"), discard("1000-1"));
    expect(await lab.dead()).toEqual(["1000-2"]);
    expect(await lab.outcome(4)).toBeNull();
    expect(await lab.outcome(5)).toEqual({ outcome: "rejected", reason: "dead-letter-gone" });
    await lab.apply(discard("1000-2"));
    await expectNothingLeft();
    expect(await lab.textOf("other")).toBe("x");
  });

  test("works on a letter that never was a command", async () => {
    const malformed: ApplicableEntry = {
      kind: "malformed",
      id: "1000-1",
      ordinal: 1,
      reason: "not a command",
      header: "[]",
      body: Buffer.from("rest"),
    };
    await lab.store.apply(lab.partition, WATERMARK_ZERO, [malformed]);
    expect(await lab.store.letterCounts()).toEqual([
      { letters: 0, bytes: 0 },
      { letters: 1, bytes: 6 },
    ]);
    await lab.store.apply(lab.partition, at(1), entries([{ namespace: "", key: "", ...discard("1000-1") }], 2));
    await expectNothingLeft();
  });
});

describe("a key that is blocked", () => {
  const stuck = async () => {
    await lab.poison("k");
    await lab.apply(block(put("k", "1")));
    await lab.heal("k");
    await lab.apply(block(put("k", "2")), put("k", "3"), put("other", "free"));
  };

  test("parks its later commands in order, also those that came without the policy, and no others", async () => {
    await stuck();
    expect(await lab.dead()).toEqual(["1000-1", "1000-2", "1000-3"]);
    expect(await lab.outcome(2)).toEqual({ outcome: "dead", reason: "blocked by 1000-1" });
    expect(await lab.outcome(3)).toEqual({ outcome: "dead", reason: "blocked by 1000-1" });
    expect(await lab.textOf("k")).toBeNull();
    expect(await lab.textOf("other")).toBe("free");
  });

  test("is open again when its letters are replayed in order, and not before", async () => {
    await stuck();
    await lab.apply(replay("1000-1", put("k", "1")), put("k", "4"), replay("1000-2", put("k", "2")));
    expect(await lab.textOf("k")).toBe("2");
    expect(await lab.dead()).toEqual(["1000-3", "1000-6"]);
    await lab.apply(replay("1000-3", put("k", "3")), replay("1000-6", put("k", "4")), block(put("k", "5")));
    expect(await lab.textOf("k")).toBe("5");
    await expectNothingLeft();
  });

  test("takes no replay before an older letter is settled, also when that one fails again", async () => {
    await stuck();
    await lab.poison("k");
    await lab.apply(replay("1000-1", put("k", "1")));
    await lab.heal("k");
    await lab.apply(replay("1000-2", put("k", "2")));
    expect(await lab.outcome(6)).toEqual({ outcome: "rejected", reason: "older-letter-first", by: "1000-1" });
    expect(await lab.dead()).toEqual(["1000-1", "1000-2", "1000-3"]);
    await lab.apply(discard("1000-1"), replay("1000-2", put("k", "2")), discard("1000-3"), put("k", "5"));
    expect(await lab.textOf("k")).toBe("5");
    await expectNothingLeft();
  });

  test("goes on in order after its first letter was forced", async () => {
    await stuck();
    await lab.apply(replay("1000-1", put("k", "1"), true), replay("1000-2", put("k", "2")));
    await lab.apply(replay("1000-3", put("k", "3")));
    expect(await lab.textOf("k")).toBe("3");
    await expectNothingLeft();
  });

  test("with skip: later commands of the key go on", async () => {
    await lab.poison("k");
    await lab.apply(put("k", "1"));
    await lab.heal("k");
    await lab.apply(put("k", "2"));
    expect(await lab.textOf("k")).toBe("2");
  });
});

test("the same log gives the same store, dead letters included, whatever its batches", async () => {
  const names = ["a", "b", "c"];
  const log: Partial<Command>[] = [];
  let random = 7;
  const next = (below: number) => {
    random = (random * 48271) % 2147483647;
    return random % below;
  };
  for (let i = 1; i <= 400; i += 1) {
    const key = names[next(3)] ?? "a";
    const letter = `1000-${1 + next(i)}`;
    const kind = next(6);
    if (kind === 0) log.push(discard(letter));
    else if (kind === 1)
      log.push(replay(letter, { ...(log[Number(letter.slice(5)) - 1] ?? put(key, "x")) }, next(2) === 0));
    else if (kind === 2) log.push({ key });
    else if (kind === 3) log.push({ ...put(key, `${i}`), parking: next(2) === 0 ? "block" : "skip" });
    else log.push({ ...increment(key), ...(next(4) === 0 && { condition: { kind: "match", id: "*" } as const }) });
  }
  const all = entries(
    log.map((command) =>
      command.operation?.op === "discard" && command.replays ? discard(command.replays.letter) : command,
    ),
  );
  const snapshots = [];
  for (const size of [400, 7, 1]) snapshots.push(await lab.afterBatches(all, size, "b"));
  expect((await lab.dead()).length).toBeGreaterThan(20);
  expect(snapshots[1]).toEqual(snapshots[0]);
  expect(snapshots[2]).toEqual(snapshots[0]);
});
