import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { at, entries, increment, put } from "../../tests/harness/log-entries.ts";
import type { RedisServer } from "../../tests/harness/redis-server.ts";
import { type StoreLab, startStoreLab } from "../../tests/harness/store-lab.ts";
import { partitionKeys } from "../keys.ts";
import type { Link } from "../redis/link.ts";
import type { Store } from "../store.ts";
import { type ApplicableEntry, WATERMARK_ZERO } from "./apply.ts";

const PARTITION = 3;
const keys = partitionKeys(4)[PARTITION];
if (!keys) throw new Error("no such partition");

let lab: StoreLab;
let redis: RedisServer;
let link: Link;
let store: Store;

beforeAll(async () => {
  lab = await startStoreLab(4);
  ({ redis, link, store } = lab);
});

beforeEach(() => lab.reset());

async function storedText(key: string): Promise<string | null> {
  const { stored } = await store.read(PARTITION, "n", key);
  return stored && Buffer.from(stored.value).toString();
}

/** Everything the partition's store holds, to compare two ways of getting there. */
async function dump(): Promise<Record<string, unknown>> {
  const readers: Record<string, readonly string[]> = {
    string: ["GET"],
    hash: ["HGETALL"],
    stream: ["XRANGE", "-", "+"],
    zset: ["ZRANGE", "0", "-1"],
  };
  const names = ((await link.call({ name: "KEYS", args: ["*"] })) as Buffer[]).map(String).sort();
  const state: Record<string, unknown> = {};
  for (const name of names) {
    const type = String(await link.call({ name: "TYPE", args: [name] }));
    const [command = "", ...args] = readers[type] ?? [];
    state[name] = await link.call({ name: command, args: [name, ...args] });
  }
  return state;
}

const BATCH = [put("a", "1"), increment("c"), put("a", "2"), increment("c", "41"), put("b", "x"), { key: "b" }];

describe("apply", () => {
  test("the same batch twice has the effect of one application", async () => {
    expect(await store.apply(PARTITION, WATERMARK_ZERO, entries(BATCH))).toMatchObject({
      kind: "applied",
      watermark: at(6),
    });
    const once = await dump();
    expect(await store.apply(PARTITION, WATERMARK_ZERO, entries(BATCH))).toEqual({
      kind: "mismatch",
      watermark: at(6),
    });
    expect(await dump()).toEqual(once);
    expect(await storedText("a")).toBe("2");
    expect(await storedText("c")).toBe("42");
    expect(await storedText("b")).toBeNull();
  });

  test("an overlapping batch changes nothing, whatever watermark its sender expects", async () => {
    await store.apply(PARTITION, WATERMARK_ZERO, entries(BATCH.slice(0, 4)));
    const before = await dump();
    const overlapping = entries(BATCH.slice(2), 3);
    expect(await store.apply(PARTITION, at(2), overlapping)).toEqual({ kind: "mismatch", watermark: at(4) });
    expect(await store.apply(PARTITION, at(4), overlapping)).toMatchObject({ kind: "regressed", at: "1000-3" });
    expect(await dump()).toEqual(before);
  });

  test("a batch after a gap changes nothing and names the entry after the gap", async () => {
    await store.apply(PARTITION, WATERMARK_ZERO, entries(BATCH.slice(0, 2)));
    const before = await dump();
    expect(await store.apply(PARTITION, at(2), entries([put("a", "9")], 4))).toEqual({
      kind: "gap",
      watermark: at(2),
      at: "1000-4",
    });
    const holed = entries(BATCH.slice(2), 3).filter((_, index) => index !== 1);
    expect(await store.apply(PARTITION, at(2), holed)).toMatchObject({ kind: "gap", at: "1000-5" });
    expect(await dump()).toEqual(before);
  });

  test("two owners at once reach the state of one, whatever their batches", async () => {
    const commands = Array.from({ length: 400 }, (_, index) =>
      index % 3 === 0 ? increment("c") : put(`k${index % 7}`, `${index}`),
    );
    const all = entries(commands);
    const owner = async (size: number) => {
      let watermark = WATERMARK_ZERO;
      while (watermark.ordinal < all.length) {
        const batch = all.slice(watermark.ordinal, watermark.ordinal + size);
        watermark = (await store.apply(PARTITION, watermark, batch)).watermark;
      }
    };
    await Promise.all([owner(7), owner(11), owner(3)]);
    const together = await dump();
    await link.call({ name: "FLUSHALL", args: [] });
    await store.apply(PARTITION, WATERMARK_ZERO, all);
    expect(together).toEqual(await dump());
    expect(await storedText("c")).toBe(`${commands.filter(({ operation }) => operation?.op === "increment").length}`);
  });

  test("a command in the middle that fails is in the dead letters once, and the rest is applied", async () => {
    await link.call({ name: "RPUSH", args: [keys.value("n", "foreign"), "x"] });
    const batch = entries([put("a", "1"), put("foreign", "2"), increment("foreign"), put("b", "3")]);
    expect(await store.apply(PARTITION, WATERMARK_ZERO, batch)).toMatchObject({
      kind: "applied",
      watermark: at(4),
      dead: 2,
    });
    await store.apply(PARTITION, WATERMARK_ZERO, batch);
    const dead = (await link.call({ name: "XRANGE", args: [keys.dead, "-", "+"] })) as [Buffer, Buffer[]][];
    expect(dead.map(([id]) => String(id))).toEqual(["1000-2", "1000-3"]);
    expect(dead[0]?.[1].map(String)).toEqual([
      "reason",
      expect.stringContaining("WRONGTYPE"),
      "attempts",
      "1",
      "v1",
      '{"o":"put"}',
      "b",
      "2",
    ]);
    expect(await store.outcome(PARTITION, "1000-2")).toMatchObject({ outcome: "dead" });
    expect(await storedText("a")).toBe("1");
    expect(await storedText("b")).toBe("3");
    expect(await link.call({ name: "LLEN", args: [keys.value("n", "foreign")] })).toBe(1);
  });

  test("a malformed entry is parked under its own id and the chain of ordinals goes on around it", async () => {
    const [first, second] = entries([put("a", "1"), put("a", "2")]);
    if (!first || !second) throw new Error("two entries");
    const foreign: ApplicableEntry = {
      kind: "malformed",
      id: "1000-1000",
      ordinal: 0,
      reason: "not a command",
      header: "[]",
      body: Buffer.alloc(0),
    };
    const later = { ...second, id: "1001-2" };
    expect(await store.apply(PARTITION, WATERMARK_ZERO, [first, foreign, later])).toMatchObject({
      kind: "applied",
      watermark: { id: "1001-2", ordinal: 2 },
      dead: 1,
    });
    expect(await store.outcome(PARTITION, "1000-1000")).toEqual({ outcome: "dead", reason: "not a command" });
  });

  test("a stream that somebody pushed ahead costs no command its effect, and no batch its whole", async () => {
    await link.call({ name: "XADD", args: [keys.outcomes, "9999-0", "o", "x"] });
    const reply = await store.apply(PARTITION, WATERMARK_ZERO, entries([increment("c"), increment("c")]));
    expect(reply).toMatchObject({ kind: "applied", watermark: at(2) });
    expect(await storedText("c")).toBe("2");
  });

  test("a producer's repeated sequence has no effect, and a jump in it is counted as lost", async () => {
    await store.apply(PARTITION, WATERMARK_ZERO, entries([increment("c"), increment("c")]));
    const again = entries([increment("c")], 3).map((entry) => ({ ...entry, stamp: { producer: "p", sequence: 2 } }));
    expect(await store.apply(PARTITION, at(2), again as ApplicableEntry[])).toMatchObject({
      kind: "applied",
      repeated: 1,
    });
    expect(await storedText("c")).toBe("2");
    const jumping = entries([increment("c")], 4).map((entry) => ({ ...entry, stamp: { producer: "p", sequence: 6 } }));
    expect(await store.apply(PARTITION, at(3), jumping as ApplicableEntry[])).toMatchObject({
      kind: "applied",
      jumped: 3,
    });
    expect(await storedText("c")).toBe("3");
  });

  test("nothing is written when one of our own keys has a foreign type", async () => {
    await link.call({ name: "SET", args: [keys.outcomes, "x"] });
    await expect(store.apply(PARTITION, WATERMARK_ZERO, entries(BATCH))).rejects.toThrow("MRSTORE");
    expect(await storedText("a")).toBeNull();
    expect(await store.watermark(PARTITION)).toEqual(WATERMARK_ZERO);
  });

  test("conditions are judged against the key's revision at that point of the log", async () => {
    const batch = entries([
      { ...put("a", "1"), condition: { kind: "none-match", id: "*" } },
      { ...put("a", "2"), condition: { kind: "none-match", id: "*" } },
      { ...put("a", "3"), condition: { kind: "match", id: "1000-1" } },
      { ...put("a", "4"), condition: { kind: "match", id: "1000-1" } },
      { ...put("b", "5"), condition: { kind: "match", id: "*" } },
      { key: "a", condition: { kind: "none-match", id: "1000-3" } },
    ]);
    expect(await store.apply(PARTITION, WATERMARK_ZERO, batch)).toMatchObject({ kind: "applied", rejected: 4 });
    expect(await storedText("a")).toBe("3");
    expect(await storedText("b")).toBeNull();
    expect(await store.outcome(PARTITION, "1000-4")).toEqual({ outcome: "rejected", reason: "condition-not-met" });
    expect(await store.outcome(PARTITION, "1000-3")).toBeNull();
  });

  test("increments are exact over the whole of 64 bits, and tell overflow and wrong types apart", async () => {
    const max = 2n ** 63n - 1n;
    let random = 12345n;
    const next = () => {
      random = (random * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
      return BigInt.asIntN(64, random) >> (random % 60n);
    };
    const steps = Array.from({ length: 300 }, next);
    const expected: string[] = [];
    let counter = 0n;
    for (const step of steps) {
      const sum = counter + step;
      if (sum > max || sum < -max - 1n) expected.push("increment-overflow");
      else {
        counter = sum;
        expected.push(counter.toString());
      }
    }
    const batch = entries(steps.map((step) => increment("c", step.toString())));
    await store.apply(PARTITION, WATERMARK_ZERO, batch);
    const outcomes = await Promise.all(batch.map(({ id }) => store.outcome(PARTITION, id)));
    expect(outcomes.map((result) => (result?.outcome === "applied" ? result.value : result?.reason))).toEqual(expected);
    expect(await storedText("c")).toBe(counter.toString());

    const from = steps.length;
    await store.apply(
      PARTITION,
      at(from),
      entries(
        [put("t", "1.5"), increment("t"), put("e", ""), increment("e"), put("z", "007"), increment("z")],
        from + 1,
      ),
    );
    for (const offset of [2, 4, 6]) {
      expect(await store.outcome(PARTITION, `1000-${from + offset}`)).toEqual({
        outcome: "rejected",
        reason: "not-an-integer",
      });
    }
    expect(await storedText("t")).toBe("1.5");
  });

  test("the index holds exactly the keys that exist", async () => {
    const commands = Array.from({ length: 1500 }, (_, index) =>
      index % 4 === 3 ? { key: `k${(index * 7) % 1200}` } : put(`k${(index * 13) % 1200}`, "v"),
    );
    const all = entries(commands);
    for (let i = 0; i < all.length; i += 500)
      await store.apply(PARTITION, i === 0 ? WATERMARK_ZERO : at(i), all.slice(i, i + 500));
    const indexed = ((await link.call({ name: "ZRANGE", args: [keys.index("n"), 0, -1] })) as Buffer[])
      .map(String)
      .sort();
    const prefix = keys.value("n", "");
    const existing = ((await link.call({ name: "KEYS", args: [`${prefix}*`] })) as Buffer[])
      .map((name) => String(name).slice(prefix.length))
      .sort();
    expect(indexed.length).toBeGreaterThan(100);
    expect(indexed).toEqual(existing);
  });

  test("a result is broadcast for exactly the commands that are awaited", async () => {
    const subscriber = await openLink(redis.url);
    const heard = new Promise<string>((resolve) => {
      subscriber.client.on("message", (_channel: string, message: string) => resolve(message));
    });
    await subscriber.client.subscribe(keys.applied);
    await store.apply(
      PARTITION,
      WATERMARK_ZERO,
      entries([put("a", "1"), { ...put("a", "2"), awaited: true }, put("a", "3")]),
    );
    expect(JSON.parse(await heard)).toEqual({ watermark: "1000-3 3", results: { "1000-2": "applied replaced" } });
  });

  test("the functions are loaded again when Redis has lost them", async () => {
    await link.call({ name: "FUNCTION", args: ["FLUSH"] });
    expect(await store.apply(PARTITION, WATERMARK_ZERO, entries([put("a", "1")]))).toMatchObject({ kind: "applied" });
  });
});
