import { beforeAll, beforeEach, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { at, entries, put } from "../../tests/harness/log-entries.ts";
import { startRedisClusters } from "../../tests/harness/redis-cluster.ts";
import { type RedisServer, startRedis } from "../../tests/harness/redis-server.ts";
import { readStore, type StoreReader } from "../../tests/harness/store-reader.ts";
import { waitFor } from "../../tests/harness/wait-for.ts";
import { Store } from "../store.ts";
import { WATERMARK_ZERO } from "./apply.ts";
import type { KeyPage, KeyRange } from "./list-keys.ts";

const PARTITION = 1;
const NOW_MS = 5_000;

let store: Store;
let reader: StoreReader;

beforeAll(async () => {
  const redis = await startRedis({ kind: "store" });
  store = new Store(await openLink(redis.url), 2);
  reader = readStore(redis, 2);
});
beforeEach(() => reader.redis.flushall());

/** What apply would have written, also for keys and attributes that no command of this test can bring. */
async function hold(key: string | Buffer, value = "v", attributes = ""): Promise<void> {
  const keys = reader.keys(PARTITION);
  await reader.redis.zadd(keys.index("n"), 0, key);
  await reader.redis.set(valueKey(key), `1000-1\ttext/plain${attributes}\n${value}`);
}

const valueKey = (key: string | Buffer) =>
  Buffer.concat([Buffer.from(reader.keys(PARTITION).value("n", "")), Buffer.from(key)]);

const EVERYTHING: KeyRange = {
  prefix: Buffer.alloc(0),
  after: null,
  nowMs: NOW_MS,
  keys: 1000,
  members: 10_000,
  bytes: 1024 * 1024,
  wholeMaxBytes: 0,
};

type Range = Omit<Partial<KeyRange>, "prefix" | "after"> & { prefix?: string | Buffer; after?: string | Buffer };

const list = (range: Range = {}) =>
  store.list(PARTITION, "n", {
    ...EVERYTHING,
    ...range,
    prefix: Buffer.from(range.prefix ?? ""),
    after: range.after === undefined ? null : Buffer.from(range.after),
  });

const names = ({ keys }: KeyPage) => keys.map(({ key }) => Buffer.from(key).toString());
const reached = (page: KeyPage) => page.reached && Buffer.from(page.reached).toString();

test("keys come in the order of their UTF-8 bytes, which is not that of UTF-16", async () => {
  const keys = ["a", "a b", "a/b", "a{b}", "b", "ü", "ÿ", "\uffff", "😀", "{a}", "zz", "0", "A", "a\u00a0b"];
  for (const key of keys) await hold(key);
  const inBytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect(inBytes).not.toEqual(keys.toSorted());
  expect(names(await list())).toEqual(inBytes);
  const page = await list({ keys: 5 });
  expect([...names(page), ...names(await list({ after: Buffer.from(page.reached ?? "") }))]).toEqual(inBytes);
});

test("a prefix selects by bytes, also one whose last bytes are the highest there are", async () => {
  const keys = [[0x61], [0x61, 0xff], [0x61, 0xff, 0xff], [0x61, 0xff, 0xff, 0x00], [0x62], [0xff], [0xff, 0xff]].map(
    (bytes) => Buffer.from(bytes),
  );
  for (const key of keys) await hold(key);
  const listed = async (...bytes: number[]) =>
    (await list({ prefix: Buffer.from(bytes) })).keys.map(({ key }) => Buffer.from(key).toString("hex"));
  expect(await listed(0x61, 0xff)).toEqual(["61ff", "61ffff", "61ffff00"]);
  expect(await listed(0x61, 0xff, 0xff)).toEqual(["61ffff", "61ffff00"]);
  expect(await listed(0xff)).toEqual(["ff", "ffff"]);
  expect(await listed(0x61, 0xff, 0xfe)).toEqual([]);
});

test("on Redis Cluster, while a slot moves, a page has all its keys or is refused: none is declared, none is left out", async () => {
  const { store: cluster } = await startRedisClusters(2);
  const sharded = new Store(await openLink(cluster.url), 2);
  await sharded.prepare();
  const names = Array.from({ length: 300 }, (_, i) => `${"{}"[i % 2]}key{${i}}`);
  await sharded.apply(PARTITION, WATERMARK_ZERO, entries(names.map((key) => put(key, key))));
  const { watermark } = reader.keys(PARTITION);
  const [first, second] = cluster.masters as [RedisServer, RedisServer];
  const places = (await cluster.ownerOf(watermark)) === first ? [second, first, second] : [first, second, first];
  let moving = true;
  const moves = (async () => {
    for (const place of places) await cluster.moveSlotOf(watermark, place);
  })().finally(() => {
    moving = false;
  });
  let listed = 0;
  let refused = 0;
  while (moving) {
    try {
      const page = await sharded.list(PARTITION, "n", EVERYTHING);
      expect(page.keys).toHaveLength(names.length);
      listed += 1;
    } catch (error) {
      expect(error).toMatchObject({ code: "store-unavailable" });
      refused += 1;
    }
  }
  await moves;
  const after = await waitFor(() => sharded.list(PARTITION, "n", EVERYTHING), { what: "a list after the moves" });
  expect(after.keys.map(({ key }) => String(key))).toEqual(names.toSorted());
  expect(listed + refused).toBeGreaterThan(1);
});

test("another namespace that begins alike is another namespace", async () => {
  await store.apply(PARTITION, WATERMARK_ZERO, entries([{ ...put("k", "v"), namespace: "n2" }, put("n2/k", "v")]));
  expect(names(await list())).toEqual(["n2/k"]);
});

test("a key is listed with all that is known of it, at the watermark of the same moment", async () => {
  expect(await list()).toEqual({ watermark: WATERMARK_ZERO, keys: [], reached: null });
  await store.apply(PARTITION, WATERMARK_ZERO, entries([put("a", "1"), put("b", "22"), put("c", "3"), { key: "a" }]));
  const { watermark, keys } = await list();
  expect(watermark).toEqual(at(4));
  expect(keys.map(({ key, sizeBytes, stored }) => [String(key), sizeBytes, stored.id, stored.contentType])).toEqual([
    ["b", 2, "1000-2", "text/plain"],
    ["c", 1, "1000-3", "text/plain"],
  ]);
  await hold("d", "4", '\te9000\tm{"a":1}');
  expect((await list({ after: "c" })).keys[0]?.stored).toMatchObject({ expiresMs: 9000, metadata: '{"a":1}' });
});

test("what has expired by the caller's clock is left out, and what the index alone knows", async () => {
  await hold("gone", "v", `\te${NOW_MS}`);
  await hold("lives", "v", `\te${NOW_MS + 1}`);
  await hold("metadata only", "v", "\tme1");
  await reader.redis.zadd(reader.keys(PARTITION).index("n"), 0, "no value");
  expect(names(await list())).toEqual(["lives", "metadata only"]);
  expect(names(await list({ nowMs: NOW_MS - 1 }))).toEqual(["gone", "lives", "metadata only"]);
});

test("somebody else's data under a key hides that key, not the others", async () => {
  for (const key of ["a", "b", "c", "d"]) await hold(key);
  await reader.redis.set(valueKey("a"), "rubbish");
  await reader.redis.set(valueKey("b"), "rubbish\n");
  await reader.redis.del(valueKey("c"));
  await reader.redis.rpush(valueKey("c"), "rubbish");
  expect(names(await list())).toEqual(["d"]);
});

test("a run of expired keys is walked through in bounded steps, each of which says how far it came", async () => {
  const count = 2_000;
  for (let i = 0; i < count; i += 1) await hold(`gone-${String(i).padStart(5, "0")}`, "v", "\te1");
  await hold("last");
  let page = await list({ keys: 3, members: 700 });
  const steps = [reached(page)];
  while (page.keys.length === 0 && page.reached !== null) {
    page = await list({ keys: 3, members: 700, after: Buffer.from(page.reached) });
    steps.push(reached(page));
  }
  expect(steps).toEqual(["gone-00699", "gone-01399", null]);
  expect(names(page)).toEqual(["last"]);
});

test("a page ends before the key that passes its bytes, but has one", async () => {
  for (const key of ["a", "b", "c"]) await hold(key, "x".repeat(1000));
  const page = await list({ bytes: 2_500, wholeMaxBytes: 5_000 });
  expect([names(page), reached(page)]).toEqual([["a", "b"], "b"]);
  const one = await list({ bytes: 1, wholeMaxBytes: 5_000, after: "a" });
  expect([names(one), reached(one)]).toEqual([["b"], "b"]);
  expect(names(await list({ bytes: 2_500 }))).toEqual(["a", "b", "c"]);
});

test("values come as they are up to a length, longer ones by their length alone, however long the attributes are", async () => {
  const metadata = `\tm"${"y".repeat(3_000)}"`;
  await hold("a", "");
  await hold("b", "line\nfeed\tand tab");
  await hold("c", "x".repeat(2_000), metadata);
  await hold("d", "x".repeat(9_000), metadata);
  const { keys } = await list({ wholeMaxBytes: 8_000 });
  expect(keys.map(({ sizeBytes, whole }) => [sizeBytes, whole])).toEqual([
    [0, true],
    [17, true],
    [2_000, true],
    [9_000, false],
  ]);
  expect(keys.map(({ stored }) => Buffer.from(stored.value).toString())).toEqual([
    "",
    "line\nfeed\tand tab",
    "x".repeat(2_000),
    "",
  ]);
  expect(keys.map(({ stored }) => stored.metadata?.length)).toEqual([undefined, undefined, 3_002, 3_002]);
  expect((await list()).keys.map(({ sizeBytes, whole }) => [sizeBytes, whole])).toEqual([
    [0, true],
    [17, false],
    [2_000, false],
    [9_000, false],
  ]);
});
