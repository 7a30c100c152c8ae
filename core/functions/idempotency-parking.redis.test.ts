import { beforeAll, beforeEach, expect, test } from "vitest";
import { type LetterLab, startLetterLab } from "../../tests/harness/letter-lab.ts";
import { increment } from "../../tests/harness/log-entries.ts";
import type { Command } from "../command.ts";

let lab: LetterLab;

beforeAll(async () => {
  lab = await startLetterLab();
});
beforeEach(() => lab.reset());

const once = (command: Partial<Command>): Partial<Command> => ({
  ...command,
  parking: "block",
  idempotency: { key: "k".repeat(22), fingerprint: "f".repeat(22) },
});

test("a command that waits behind a blocked key waits once, however often it is repeated, and is replayed once", async () => {
  await lab.poison("c");
  await lab.apply({ ...increment("c"), parking: "block" });
  await lab.heal("c");
  await lab.apply(once(increment("c")), once(increment("c")));
  await lab.apply(once(increment("c")));
  expect(await lab.dead()).toEqual(["1000-1", "1000-2"]);
  for (const ordinal of [3, 4]) {
    expect(await lab.outcome(ordinal)).toEqual({ outcome: "applied", effect: "duplicate", value: "1000-2" });
  }
  for (const letter of ["1000-1", "1000-2"]) await lab.apply({ ...increment("c"), replays: { letter, force: false } });
  expect(await lab.textOf("c")).toBe("2");
  await lab.apply(once(increment("c")));
  expect(await lab.textOf("c")).toBe("2");
});

test("the store tells the first command of a key, and how many keys it knows since when", async () => {
  expect(await lab.store.first(lab.partition, "k".repeat(22))).toBeNull();
  expect((await lab.store.idempotencyCounts())[lab.partition]).toEqual({ keys: 0, oldestMs: 0 });
  await lab.apply(increment("c"), once(increment("c")), once(increment("c")));
  expect(await lab.store.first(lab.partition, "k".repeat(22))).toEqual({ id: "1000-2", fingerprint: "f".repeat(22) });
  expect((await lab.store.idempotencyCounts())[lab.partition]).toEqual({ keys: 1, oldestMs: 1000 });
});
