import { beforeAll, beforeEach, expect, test } from "vitest";
import { at, entries, increment, put } from "../../tests/harness/log-entries.ts";
import { type StoreLab, startStoreLab } from "../../tests/harness/store-lab.ts";
import type { Command } from "../command.ts";
import { OUTCOME_RETENTION_MS } from "../limits.ts";
import type { Store } from "../store.ts";
import { WATERMARK_ZERO } from "./apply.ts";

let lab: StoreLab;
let store: Store;

beforeAll(async () => {
  lab = await startStoreLab();
  ({ store } = lab);
});
beforeEach(() => lab.reset());

const hash = (letter: string) => letter.repeat(22);
const once = (command: Partial<Command>, key: string, fingerprint = "f"): Partial<Command> => ({
  ...command,
  idempotency: { key: hash(key), fingerprint: hash(fingerprint) },
});
const counter = async () => {
  const { stored } = await store.read(0, "n", "c");
  return stored && String(Buffer.from(stored.value));
};

test("a repeat does nothing and names the first, in the same call and in a later one", async () => {
  const command = once(increment("c"), "a");
  await store.apply(0, WATERMARK_ZERO, entries([command, command]));
  await store.apply(0, at(2), entries([command, once(increment("c"), "b")], 3));
  expect(await counter()).toBe("2");
  expect(await store.outcome(0, "1000-1")).toEqual({ outcome: "applied", effect: "counted", value: "1" });
  for (const id of ["1000-2", "1000-3"]) {
    expect(await store.outcome(0, id)).toEqual({ outcome: "applied", effect: "duplicate", value: "1000-1" });
  }
});

test("the first one's outcome is kept whatever it was: also plain success, and rejection", async () => {
  const refused = { ...put("x", "1"), condition: { kind: "match", id: "*" } as const };
  await store.apply(0, WATERMARK_ZERO, entries([once(put("a", "1"), "a"), once(refused, "b"), once(refused, "b")]));
  expect(await store.outcome(0, "1000-1")).toEqual({ outcome: "applied", effect: "created" });
  expect(await store.outcome(0, "1000-2")).toEqual({ outcome: "rejected", reason: "condition-not-met" });
  expect(await store.outcome(0, "1000-3")).toEqual({ outcome: "applied", effect: "duplicate", value: "1000-2" });
});

test("another request under the same key is rejected, and changes nothing", async () => {
  await store.apply(0, WATERMARK_ZERO, entries([once(increment("c"), "a"), once(increment("c", "5"), "a", "g")]));
  expect(await counter()).toBe("1");
  expect(await store.outcome(0, "1000-2")).toEqual({
    outcome: "rejected",
    reason: "idempotency-mismatch",
    by: "1000-1",
  });
});

test("keys are forgotten with their outcomes, after the time of retention by the log", async () => {
  await store.apply(0, WATERMARK_ZERO, entries([once(increment("c"), "a"), once(increment("c"), "b")]));
  const later = entries([increment("other"), once(increment("c"), "a")], 3).map((entry, index) => ({
    ...entry,
    id: `${1001 + OUTCOME_RETENTION_MS}-${index}`,
  }));
  await store.apply(0, at(2), later.slice(0, 1));
  expect(await lab.link.call({ name: "HLEN", args: ["mr:{p00}:idempotency"] })).toBe(0);
  await store.apply(0, { id: later[0]?.id ?? "", ordinal: 3 }, later.slice(1));
  expect(await counter()).toBe("3");
});
