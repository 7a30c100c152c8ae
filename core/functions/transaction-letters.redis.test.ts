import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { block, discard, type LetterLab, NO_LETTERS, replay, startLetterLab } from "../../tests/harness/letter-lab.ts";
import { entries, holds, increment, is, isNot, put, txn } from "../../tests/harness/log-entries.ts";
import { seededNumbers } from "../../tests/harness/seeded-numbers.ts";
import type { Command } from "../command.ts";

let lab: LetterLab;

beforeAll(async () => {
  lab = await startLetterLab();
});
beforeEach(() => lab.reset());

const textsOf = (...keys: string[]) => Promise.all(keys.map((key) => lab.textOf(key)));
const expectNothingLeft = async () => expect(await lab.kept()).toEqual(NO_LETTERS);
/** Looks at l, and changes a, b and p, which is poisoned when it comes first. */
const move = txn([is("l", "*")], put("a", "A"), increment("b"), put("p", "P"));
const park = async (command: Partial<Command> = move): Promise<void> => {
  await lab.poison("p");
  await lab.apply(put("l", "looked at"), command);
  await lab.heal("p");
};

test("it is one letter, whatever the number of its keys", async () => {
  await park();
  expect(await lab.dead()).toEqual(["1000-2"]);
  expect((await lab.store.letterCounts())[lab.partition]?.letters).toBe(1);
  await lab.apply(discard("1000-2"));
  expect((await lab.store.letterCounts())[lab.partition]).toEqual({ letters: 0, bytes: 0 });
  await expectNothingLeft();
});

test("a replay applies all of it once, and the second finds it gone", async () => {
  await park();
  await lab.apply(replay("1000-2", move), replay("1000-2", move));
  expect(await textsOf("a", "b", "p")).toEqual(["A", "1", "P"]);
  expect(await lab.outcome(3)).toMatchObject({ effect: "committed", steps: [{}, { value: "1" }, {}] });
  expect(await lab.outcome(4)).toEqual({ outcome: "rejected", reason: "dead-letter-gone" });
  await expectNothingLeft();
});

test.each(["a", "b", "p"])("a replay yields to a newer write of %s alone, unless it is forced", async (key) => {
  await park();
  await lab.apply(put(key, "7"));
  await lab.apply(replay("1000-2", move));
  expect(await lab.outcome(4)).toEqual({ outcome: "rejected", reason: "newer-write", by: "1000-3" });
  expect(await lab.textOf(key)).toBe("7");
  expect(await lab.dead()).toEqual(["1000-2"]);
  await lab.apply(replay("1000-2", move, true));
  expect(await textsOf("a", "p")).toEqual(["A", "P"]);
  await expectNothingLeft();
});

test("a newer transaction is a newer write of each key that it changes, and of none that it looks at", async () => {
  await lab.poison("a");
  await lab.poison("b");
  await lab.apply(put("a", "old"), put("b", "old"));
  await lab.heal("a");
  await lab.heal("b");
  await lab.apply(put("x", ""), txn([is("x", "*")], put("a", "new")), txn([isNot("b", "*")], put("c", "")));
  await lab.apply(replay("1000-1", put("a", "old")), replay("1000-2", put("b", "old")));
  expect(await lab.outcome(6)).toEqual({ outcome: "rejected", reason: "newer-write", by: "1000-4" });
  expect(await textsOf("a", "b")).toEqual(["new", "old"]);
});

test("a replay does not yield to writes of what it only looks at: its conditions are judged again", async () => {
  await park();
  await lab.apply(put("l", "other"), replay("1000-2", move));
  expect(await lab.textOf("a")).toBe("A");
  await lab.reset();
  await park();
  await lab.apply({ key: "l" }, replay("1000-2", move));
  expect(await lab.outcome(4)).toEqual({ outcome: "rejected", reason: "condition-not-met", at: "/if/0" });
  expect(await lab.textOf("a")).toBeNull();
  expect(await lab.dead()).toEqual(["1000-2"]);
  await lab.apply(replay("1000-2", move, true));
  expect(await textsOf("a", "b", "p")).toEqual(["A", "1", "P"]);
});

test("a replay of a letter with other keys changes nothing", async () => {
  await park();
  for (const other of [
    put("a", "A"),
    txn([], put("a", "A"), put("p", "P")),
    txn([], ...["a", "b", "p", "q"].map((key) => put(key, ""))),
  ]) {
    await lab.apply(replay("1000-2", other));
    expect(await lab.outcome(lab.applied.length)).toMatchObject({ outcome: "dead" });
  }
  expect(await lab.textOf("a")).toBeNull();
  expect(await lab.dead()).toEqual(["1000-2"]);
});

describe("blocking", () => {
  test("holds up all keys that it changes, and not what it only looks at", async () => {
    await park(block(move));
    await lab.apply(put("a", "1"), put("b", "1"), put("p", "1"), put("l", "1"), put("free", "1"));
    expect(await lab.dead()).toEqual(["1000-2", "1000-3", "1000-4", "1000-5"]);
    expect(await textsOf("a", "b", "p", "l", "free")).toEqual([null, null, null, "1", "1"]);
    expect(await lab.outcome(4)).toEqual({ outcome: "dead", reason: "blocked by 1000-2" });
    await lab.apply(discard("1000-2"), ...["a", "b", "p"].map((key, i) => replay(`1000-${3 + i}`, put(key, "1"))));
    expect(await textsOf("a", "b", "p")).toEqual(["1", "1", "1"]);
    await expectNothingLeft();
  });

  test.each([
    ["changes", txn([], put("x", "X"), put("p", "P"))],
    ["looks at", txn([is("p", "*")], put("x", "X"))],
  ])("a transaction waits where a key that it %s is blocked, in order", async (_, waits) => {
    await lab.poison("p");
    await lab.apply(block(put("p", "1")));
    await lab.heal("p");
    await lab.apply(block(waits), put("x", "after"));
    expect(await lab.outcome(2)).toEqual({ outcome: "dead", reason: "blocked by 1000-1" });
    expect(await lab.outcome(3)).toEqual({ outcome: "dead", reason: "blocked by 1000-2" });
    await lab.apply(replay("1000-2", waits));
    expect(await lab.outcome(4)).toEqual({ outcome: "rejected", reason: "older-letter-first", by: "1000-1" });
    const rest = [replay("1000-1", put("p", "1")), replay("1000-2", waits), replay("1000-3", put("x", "after"))];
    await lab.apply(...rest);
    expect(await lab.outcome(6)).toMatchObject({ effect: "committed" });
    expect(await lab.textOf("x")).toBe("after");
    await expectNothingLeft();
  });

  test("letters of several keys are replayed in the log's order, whatever keys they share", async () => {
    await lab.poison("p");
    const all = [txn([], put("p", "1"), put("a", "1")), txn([], put("a", "2"), put("b", "2")), put("b", "3")];
    await lab.apply(...all.map(block));
    await lab.heal("p");
    const inTurn = (...order: number[]) => order.map((n) => replay(`1000-${n}`, all[n - 1] ?? {}));
    await lab.apply(...inTurn(3, 2, 1, 3, 2, 3));
    const results = await Promise.all([4, 5, 6, 7, 8, 9].map((ordinal) => lab.outcome(ordinal)));
    expect(results.map((result) => (result?.outcome === "rejected" ? result.by : result?.outcome))).toEqual([
      "1000-2",
      "1000-1",
      "applied",
      "1000-2",
      "applied",
      undefined,
    ]);
    expect(await textsOf("p", "a", "b")).toEqual(["1", "2", "3"]);
    await expectNothingLeft();
  });
});

test("what replays would come to is told without a change, and as it then comes", async () => {
  await lab.poison("p");
  const all = [
    block(txn([], put("p", "1"), put("a", "1"))),
    block(txn([holds("v", "value")], put("a", "2"))),
    block(txn([holds("v", "other")], put("b", "2"), put("p", ""))),
    block(txn([], { key: "v", operation: { op: "patch", value: Buffer.from("{}") } }, put("p", "4"))),
    txn([], put("q", "1"), put("z", "")),
    put("v", "value"),
  ];
  await lab.poison("q");
  await lab.apply(put("v", "value"), ...all.slice(0, 5));
  await lab.heal("p");
  const planned = all.slice(0, 5).map((command, index) => ({
    letter: `1000-${index + 2}`,
    force: false,
    command: { namespace: "n", key: "k", awaited: false, acceptedMs: 1, ...command } as Command,
  }));
  const before = await lab.reader.snapshot();
  const foreseen = await lab.store.foresee(lab.partition, planned, 1);
  expect(await lab.reader.snapshot()).toEqual(before);
  expect(foreseen).toEqual([
    { outcome: "applied" },
    { outcome: "applied" },
    { outcome: "rejected", reason: "condition-not-met", at: "/if/0" },
    { outcome: "rejected", reason: "older-letter-first", by: "1000-4" },
    { outcome: "dead", reason: expect.stringContaining("/then/0: the store holds something") },
  ]);
  await lab.apply(...planned.map(({ letter, command }) => replay(letter, command)));
  const then = await Promise.all([7, 8, 9, 10, 11].map((ordinal) => lab.outcome(ordinal)));
  expect(then[0]).toMatchObject({ effect: "committed" });
  expect(then[1]).toMatchObject({ effect: "committed" });
  expect(then.slice(2)).toEqual(foreseen.slice(2));
});

test("the same log gives the same store, letters of several keys included, whatever its batches", async () => {
  const next = seededNumbers(5);
  const names = ["a", "b", "c", "d"];
  const log: Partial<Command>[] = [];
  for (let i = 1; i <= 300; i += 1) {
    const letter = `1000-${1 + next(i)}`;
    const first = log[Number(letter.slice(5)) - 1];
    const kind = next(6);
    if (kind === 0) log.push(discard(letter));
    else if (kind === 1 && first && !first.replays && first.operation?.op !== "discard")
      log.push(replay(letter, first, next(2) === 0));
    else if (kind < 4) {
      const keys = names.filter(() => next(2) === 0);
      const steps = (keys.length > 0 ? keys : ["a"]).map((key) => (next(2) === 0 ? put(key, `${i}`) : increment(key)));
      const command = txn(next(3) === 0 ? [is(names[next(4)] ?? "a", "*")] : [], ...steps);
      log.push({ ...command, parking: next(2) === 0 ? "block" : "skip" });
    } else log.push(put(names[next(4)] ?? "a", `${i}`));
  }
  const all = entries(log);
  const snapshots = [];
  for (const size of [300, 7, 1]) snapshots.push(await lab.afterBatches(all, size, "b"));
  expect((await lab.dead()).length).toBeGreaterThan(20);
  expect(snapshots[1]).toEqual(snapshots[0]);
  expect(snapshots[2]).toEqual(snapshots[0]);
});
