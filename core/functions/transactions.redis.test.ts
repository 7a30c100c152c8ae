import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type LetterLab, startLetterLab } from "../../tests/harness/letter-lab.ts";
import { at, entries, holds, increment, is, isNot, put, txn } from "../../tests/harness/log-entries.ts";
import { seededNumbers } from "../../tests/harness/seeded-numbers.ts";
import type { Command, Result } from "../command.ts";
import { PATCHED_VALUE_MAX_BYTES } from "../limits.ts";
import type { TransactionCondition } from "../transaction.ts";
import { WATERMARK_ZERO } from "./apply.ts";

let lab: LetterLab;

beforeAll(async () => {
  lab = await startLetterLab();
});
beforeEach(() => lab.reset());

const patch = (key: string, text: string): Partial<Command> => ({
  key,
  operation: { op: "patch", value: Buffer.from(text) },
});
const remove = (key: string): Partial<Command> => ({ key, operation: { op: "delete" } });

/** Values, indexes and expiries: all that a command of a client may change. */
async function data(): Promise<Record<string, unknown>> {
  const kept = Object.entries(await lab.reader.snapshot()).filter(([name]) => /:(?:k|i):|:expiries$/.test(name));
  return Object.fromEntries(kept);
}

test("every key gets the transaction's revision, and what each change came to is kept", async () => {
  await lab.apply(put("b", "40"), put("c", '{"x":1,"y":2}'), put("d", "gone soon"));
  await lab.apply(
    txn([], put("a", "new"), increment("b", "2"), patch("c", '{"x":null}'), remove("d"), remove("never")),
  );
  expect(await lab.outcome(4)).toEqual({
    outcome: "applied",
    effect: "committed",
    steps: [
      { effect: "created" },
      { effect: "counted", value: "42" },
      { effect: "replaced" },
      { effect: "deleted" },
      { effect: "absent" },
    ],
  });
  for (const [key, text] of Object.entries({ a: "new", b: "42", c: '{"y":2}' })) {
    expect((await lab.store.read(lab.partition, "n", key)).stored?.id).toBe("1000-4");
    expect(await lab.textOf(key)).toBe(text);
  }
  expect(await lab.textOf("d")).toBeNull();
  expect(await lab.reader.redis.zrange(lab.keys.index("n"), "0", "-1")).toEqual(["a", "b", "c"]);
});

describe("nothing of a transaction is written when", () => {
  const changes = [put("a", "1"), increment("b"), patch("c", '{"z":1}'), remove("d"), put("e", "5")];
  const prepare = async (): Promise<void> => {
    const large = `{"x":"${"x".repeat(PATCHED_VALUE_MAX_BYTES)}"}`;
    await lab.apply(put("c", "{}"), put("d", "there"), put("text", "no number"), put("max", "9223372036854775807"));
    await lab.apply(put("large", large), put("nearly", large.slice(0, PATCHED_VALUE_MAX_BYTES - 4).concat('"}')));
    await lab.reader.redis.rpush(lab.keys.value("n", "list"), "foreign");
    await lab.reader.redis.set(lab.keys.value("n", "rubbish"), "no value of ours");
    await lab.reader.redis.hset(lab.keys.value("n", "hash"), "foreign", "1");
  };
  const applied = 6;
  const rejected = (reason: string) => (place: number) => ({ outcome: "rejected", reason, at: `/then/${place}` });
  const dead = (what: string) => (place: number) => ({
    outcome: "dead",
    reason: expect.stringContaining(`/then/${place}: ${what}`),
  });
  const failing: [what: string, change: Partial<Command>, result: (place: number) => unknown][] = [
    ["increments a text", increment("text"), rejected("not-an-integer")],
    ["increments beyond 64 bits", increment("max"), rejected("increment-overflow")],
    ["patches what is no JSON", patch("text", "{}"), rejected("not-json")],
    ["patches what is too large", patch("large", "{}"), rejected("too-large-to-patch")],
    ["patches to what is too large", patch("nearly", '{"more":"1234567890"}'), rejected("too-large-to-patch")],
    ["puts over a foreign type", put("list", "x"), dead("WRONGTYPE")],
    ["deletes a foreign type", remove("hash"), dead("WRONGTYPE")],
    ["counts what is no value of ours", increment("rubbish"), dead("the store holds something")],
    ["patches a foreign type", patch("list", "{}"), dead("WRONGTYPE")],
  ];

  const nothingIsWritten = async (command: Partial<Command>, result: unknown): Promise<void> => {
    await prepare();
    const before = await lab.reader.redis.dump(lab.keys.value("n", "list"));
    const all = await lab.reader.redis.keys("*:k:*");
    const whole = await Promise.all(all.toSorted().map((name) => lab.reader.redis.dumpBuffer(name)));
    const index = await lab.reader.redis.zrange(lab.keys.index("n"), "0", "-1");
    await lab.apply(command);
    expect(await lab.outcome(applied + 1)).toEqual(result);
    expect((await lab.reader.redis.keys("*:k:*")).toSorted()).toEqual(all.toSorted());
    expect(await Promise.all(all.toSorted().map((name) => lab.reader.redis.dumpBuffer(name)))).toEqual(whole);
    expect(await lab.reader.redis.dump(lab.keys.value("n", "list"))).toEqual(before);
    expect(await lab.reader.redis.zrange(lab.keys.index("n"), "0", "-1")).toEqual(index);
    expect(await lab.reader.redis.exists(lab.keys.expiries)).toBe(0);
  };

  const places = Array.from({ length: changes.length + 1 }, (_, place) => place);
  test.each(failing.flatMap(([what, change, result]) => places.map((place) => [what, place, change, result] as const)))(
    "it %s in place %i",
    async (_, place, change, result) => {
      await nothingIsWritten(txn([], ...changes.toSpliced(place, 0, change)), result(place));
    },
  );

  const unmet: [what: string, condition: TransactionCondition][] = [
    ["is at another revision", is("c", "999-1")],
    ["is at the revision that it must not have", isNot("c", "1000-1")],
    ["is not there", is("none", "*")],
    ["is there", isNot("d", "*")],
    ["has no such value, which begins the same", holds("d", "ther")],
    ["has another value of that length", holds("d", "therE")],
    ["has no value at all", holds("none", "")],
  ];
  test.each(unmet.flatMap(([what, condition]) => [0, 1, 2].map((place) => [what, place, condition] as const)))(
    "a key %s, condition %i",
    async (_, place, condition) => {
      const met = [is("d", "*"), holds("d", "there")];
      const result = { outcome: "rejected", reason: "condition-not-met", at: `/if/${place}` };
      await nothingIsWritten(txn(met.toSpliced(place, 0, condition), ...changes), result);
    },
  );

  test("a key that it only looks at holds a foreign type", async () => {
    const result = { outcome: "dead", reason: expect.stringContaining("/if/1: WRONGTYPE") };
    await nothingIsWritten(txn([is("d", "*"), is("list", "*")], ...changes), result);
  });
});

test("conditions are met exactly: by revision, by presence, by every byte of the value", async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  const operation = { op: "put", contentType: "x/y", value: bytes, metadata: '{"a":1}' } as const;
  await lab.apply({ key: "a", operation }, put("empty", ""));
  const all = [is("a", "1000-1"), isNot("a", "1000-2"), holds("a", bytes), isNot("b", "*"), holds("empty", "")];
  await lab.apply(txn(all, put("b", "1")), txn([is("a", "1000-1"), is("b", "1000-3")]), txn([is("b", "1000-1")]));
  expect(await lab.outcome(3)).toMatchObject({ effect: "committed" });
  expect(await lab.outcome(4)).toEqual({ outcome: "applied", effect: "committed", steps: [] });
  expect(await lab.outcome(5)).toEqual({ outcome: "rejected", reason: "condition-not-met", at: "/if/0" });
});

test("a key whose time is over is absent for conditions and changes, and a change says when its key expires", async () => {
  const atMs = 1_000_000;
  const short = {
    key: "a",
    operation: { op: "put", contentType: "x/y", value: Buffer.from("7"), expiry: { atMs: 5 } },
  };
  await lab.apply(short as Partial<Command>);
  const lives = { op: "put", contentType: "x/y", value: Buffer.from("v"), expiry: { ttlMs: 90 } } as const;
  const counts = { op: "increment", by: "1", expiry: { atMs } } as const;
  await lab.apply({
    ...txn([isNot("a", "*")], { key: "a", operation: counts }, { key: "b", operation: lives }),
    acceptedMs: 10,
  });
  expect(await lab.outcome(2)).toMatchObject({ steps: [{ effect: "counted", value: "1" }, { effect: "created" }] });
  expect((await lab.store.read(lab.partition, "n", "b")).stored?.expiresMs).toBe(100);
  expect((await lab.store.due(lab.partition, atMs, 10)).map(({ key }) => key)).toEqual(["b", "a"]);
  await lab.apply(txn([], remove("a"), put("b", "for ever")));
  expect(await lab.store.due(lab.partition, atMs, 10)).toEqual([]);
});

test("memory that runs out in the middle of a transaction lets it finish; the next one is refused whole", async () => {
  const big = (from: number) => Array.from({ length: 60 }, (_, i) => put(`k${from + i}`, "x".repeat(15_000)));
  const applyAt = (ordinal: number, command: Partial<Command>) =>
    lab.store.apply(lab.partition, at(ordinal), entries([command], ordinal + 1));
  const { redis } = lab.reader;
  await lab.apply(put("k0", "small"));
  let limit = Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
  try {
    // Raised little by little: when it is taken at last, there is room for the request and hardly for one value more.
    for (let taken = false; !taken; limit += 12_000) {
      await redis.config("SET", "maxmemory", String(limit));
      const tried = applyAt(1, txn([], ...big(0)));
      taken = await tried.then(
        () => true,
        (error) => !String(error).includes("OOM"),
      );
    }
    const before = await data();
    expect(Object.keys(before).length).toBe(61);
    await expect(applyAt(2, txn([], ...big(100)))).rejects.toThrow("OOM");
    expect(await data()).toEqual(before);
    expect(await lab.reader.watermark(lab.partition)).toEqual(at(2));
  } finally {
    await redis.config("SET", "maxmemory", "0");
  }
});

test("a repeat under the same idempotency key does nothing and names the first", async () => {
  const idempotency = { key: "k".repeat(22), fingerprint: "f".repeat(22) };
  const move = { ...txn([], increment("a", "-5"), increment("b", "5")), idempotency };
  await lab.apply(move, move, { ...move, idempotency: { ...idempotency, fingerprint: "g".repeat(22) } });
  expect([await lab.textOf("a"), await lab.textOf("b")]).toEqual(["-5", "5"]);
  expect(await lab.outcome(2)).toEqual({ outcome: "applied", effect: "duplicate", value: "1000-1" });
  expect(await lab.outcome(3)).toEqual({ outcome: "rejected", reason: "idempotency-mismatch", by: "1000-1" });
});

test("the same log gives the same store, whatever its batches", async () => {
  const next = seededNumbers(11);
  const key = () => `k${next(8)}`;
  const conditions = [() => is(key(), "*"), () => isNot(key(), "*"), () => holds(key(), `${next(9)}`)];
  const changes = [put, increment].map((change) => (name: string) => change(name, `${next(9)}`));
  const log = Array.from({ length: 300 }, () => {
    const names = [...new Set([key(), key(), key()])];
    const steps = names.map((name) => (next(4) === 0 ? remove(name) : (changes[next(2)]?.(name) ?? remove(name))));
    return txn(next(2) === 0 ? [conditions[next(3)]?.() ?? is("k1", "*")] : [], ...steps);
  });
  const all = entries(log);
  const snapshots: unknown[] = [];
  const results: (Result | null)[][] = [];
  for (const size of [300, 7, 1]) {
    await lab.reset();
    for (let i = 0; i < all.length; i += size) {
      await lab.store.apply(lab.partition, i === 0 ? WATERMARK_ZERO : at(i), all.slice(i, i + size));
    }
    snapshots.push(await lab.reader.snapshot());
    results.push(await Promise.all(all.map((_, index) => lab.outcome(index + 1))));
  }
  expect(results[0]?.filter((result) => result?.outcome === "rejected").length).toBeGreaterThan(30);
  expect(snapshots[1]).toEqual(snapshots[0]);
  expect(snapshots[2]).toEqual(snapshots[0]);
});
