import { beforeAll, beforeEach, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { at, entries, increment, put } from "../../tests/harness/log-entries.ts";
import { startRedis } from "../../tests/harness/redis-server.ts";
import { readStore, type StoreReader } from "../../tests/harness/store-reader.ts";
import type { Command } from "../command.ts";
import { Store } from "../store.ts";
import { WATERMARK_ZERO } from "./apply.ts";

const PARTITION = 1;

let store: Store;
let reader: StoreReader;
let applied: number;
beforeAll(async () => {
  const redis = await startRedis({ kind: "store" });
  store = new Store(await openLink(redis.url), 2);
  reader = readStore(redis, 2);
});
beforeEach(async () => {
  applied = 0;
  await reader.redis.flushall();
});

async function apply(...commands: Partial<Command>[]): Promise<void> {
  const expected = applied === 0 ? WATERMARK_ZERO : at(applied);
  await store.apply(PARTITION, expected, entries(commands, applied + 1));
  applied += commands.length;
}

/** What is really there, counted key by key. */
async function counted(namespace: string): Promise<{ keys: number; bytes: number }> {
  const keys = reader.keys(PARTITION);
  const members = await reader.redis.zrangeBuffer(keys.index(namespace), "0", "-1");
  let bytes = 0;
  for (const member of members) {
    const record = await reader.redis.getBuffer(keys.value(namespace, String(member)));
    if (record) bytes += member.length + record.length - record.indexOf("\n") - 1;
  }
  return { keys: members.length, bytes };
}

async function expectCounted(...namespaces: string[]): Promise<void> {
  for (const namespace of namespaces) {
    expect([namespace, await store.usage(PARTITION, namespace)]).toEqual([namespace, await counted(namespace)]);
  }
}

test("what a namespace holds is counted with each command, whatever it does to its key", async () => {
  const other = { namespace: "other" };
  const patch = (key: string, text: string): Partial<Command> => ({
    key,
    operation: { op: "patch", value: Buffer.from(text) },
  });
  const steps: Partial<Command>[][] = [
    [put("a", "12345"), put("ü", "x".repeat(5_000)), put("line\nfeed", "a\nb\n")],
    [put("a", "1"), put("a", ""), { ...put("a", "theirs"), ...other }],
    [
      increment("n", "99"),
      increment("n"),
      increment("a"),
      { ...put("a", "x"), condition: { kind: "match", id: "9-9" } },
    ],
    [patch("p", '{"a":[1,2]}'), patch("p", '{"b":"c"}'), patch("ü", "{}")],
    [{ key: "ü" }, { key: "not there" }, { key: "a", ...other }],
    [put("big", "y".repeat(200_000)), put("big", "z")],
    [{ ...put("m", "v"), operation: { op: "put", contentType: "x/y", value: Buffer.from("v"), metadata: '{"a":1}' } }],
    [{ key: "e", operation: { op: "put", contentType: "x/y", value: Buffer.from("soon"), expiry: { ttlMs: 1 } } }],
    [{ key: "e", operation: { op: "expire" }, acceptedMs: 900_000 }],
  ];
  for (const step of steps) {
    await apply(...step);
    await expectCounted("n", "other");
  }
  expect(await reader.redis.hget(reader.keys(PARTITION).usage, "other")).toBeNull();
  expect((await store.usage(PARTITION, "n")).bytes).toBeGreaterThan(0);
});

test("an expired key that is written again counts once", async () => {
  const value = Buffer.from("soon");
  await apply({ key: "e", operation: { op: "put", contentType: "x/y", value, expiry: { ttlMs: 1 } } });
  await apply({ ...put("e", "again"), acceptedMs: 900_000 });
  await expectCounted("n");
  expect(await store.usage(PARTITION, "n")).toEqual({ keys: 1, bytes: 6 });
});

test("a command that cannot be applied, or comes twice, counts nothing", async () => {
  await apply(put("a", "1"));
  await reader.redis.set(reader.keys(PARTITION).value("n", "b"), "rubbish");
  await apply(put("b", "12345"));
  expect(await store.usage(PARTITION, "n")).toEqual({ keys: 1, bytes: 2 });
  const again = entries([put("a", "123456789")], 3).map((entry) =>
    entry.kind === "command" ? { ...entry, stamp: { producer: "p", sequence: 1 } } : entry,
  );
  await store.apply(PARTITION, at(2), again);
  expect(await store.usage(PARTITION, "n")).toEqual({ keys: 1, bytes: 2 });
});

test("a count that is not ours does not stop the partition", async () => {
  await reader.redis.hset(reader.keys(PARTITION).usage, "n", "rubbish");
  await apply(put("a", "1"), { ...put("a", "1"), namespace: "other" });
  expect(await store.watermark(PARTITION)).toEqual(at(2));
  await expectCounted("other");
});
