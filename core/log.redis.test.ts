import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openLink } from "../tests/harness/link.ts";
import { type RedisServer, startRedis } from "../tests/harness/redis-server.ts";
import { decodeEntry } from "./codec.ts";
import type { Command } from "./command.ts";
import { idAfter, idTimeMs } from "./entry-id.ts";
import type { Group } from "./functions/append.ts";
import { COORDINATION, partitionKeys } from "./keys.ts";
import { Log } from "./log.ts";
import type { Link } from "./redis/link.ts";

const PARTITION = 1;
const keys = partitionKeys(2)[PARTITION];
if (!keys) throw new Error("no such partition");

let redis: RedisServer;
let link: Link;
let log: Log;

beforeAll(async () => {
  redis = await startRedis({ kind: "log" });
  link = await openLink(redis.url);
  log = new Log(link, 2);
});

beforeEach(async () => {
  await link.call({ name: "FLUSHALL", args: [] });
});

function group(producer: string, firstSequence: number, count: number, value: Buffer = Buffer.from("v")): Group {
  const command: Command = {
    namespace: "n",
    key: "k",
    operation: { op: "put", contentType: "text/plain", value },
    awaited: false,
    acceptedMs: 1,
  };
  return { producer, firstSequence, commands: Array.from({ length: count }, () => command) };
}

const all = () => log.range(PARTITION, "0-0", 10_000);

describe("append", () => {
  test("a group that is resent is in the log once and gets its first ids back", async () => {
    const first = await log.append(PARTITION, group("a", 1, 5));
    await log.append(PARTITION, group("b", 1, 2));
    const again = await log.append(PARTITION, group("a", 1, 5));
    expect(again).toEqual({ ...first, repeated: true });
    const ids = (await all()).map(([id]) => id);
    expect(ids).toHaveLength(7);
    expect(ids.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map((offset) => idAfter(first.firstId, offset)));
  });

  test("a ghost of an older group is refused and writes nothing", async () => {
    await log.append(PARTITION, group("a", 1, 3));
    await log.append(PARTITION, group("a", 4, 3));
    await expect(log.append(PARTITION, group("a", 1, 3))).rejects.toThrow("MRSEQUENCE");
    await expect(log.append(PARTITION, group("a", 5, 2))).rejects.toThrow("MRSEQUENCE");
    expect(await all()).toHaveLength(6);
  });

  test("groups of several partitions in one call: one that is refused does not touch the others", async () => {
    await log.append(PARTITION, group("a", 1, 2));
    await log.append(PARTITION, group("a", 3, 2));
    const together = await Promise.allSettled([
      log.append(0, group("a", 1, 3)),
      log.append(PARTITION, group("a", 1, 2)),
      log.append(PARTITION, group("b", 1, 1)),
    ]);
    expect(together.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await log.range(0, "0-0", 10)).toHaveLength(3);
    expect(await all()).toHaveLength(5);
  });

  test("ordinals are dense over all producers and ids grow, also when the clock stands behind", async () => {
    const future = Date.now() + 3_600_000;
    await link.call({ name: "XADD", args: [keys.log, `${future}-7`, "foreign", "x"] });
    for (let i = 0; i < 20; i++) await log.append(PARTITION, group(i % 2 ? "a" : "b", 1 + 3 * Math.floor(i / 2), 3));
    const entries = (await all()).slice(1).map(([id, fields]) => decodeEntry(id, fields));
    expect(entries.map((entry) => entry.kind === "command" && entry.ordinal)).toEqual(
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
    expect((await log.position(PARTITION)).ordinal).toBe(60);
  });

  test("a body comes back byte for byte", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await log.append(PARTITION, group("a", 1, 1, bytes));
    const [id, fields] = (await all())[0] ?? ["", []];
    const entry = decodeEntry(id, fields);
    expect(
      entry.kind === "command" && entry.command.operation.op === "put" && Buffer.from(entry.command.operation.value),
    ).toEqual(bytes);
  });

  test("the functions are loaded again when Redis has lost them", async () => {
    await link.call({ name: "FUNCTION", args: ["FLUSH"] });
    await expect(log.append(PARTITION, group("a", 1, 1))).resolves.toMatchObject({ repeated: false });
  });

  test("a library of another version beside ours disturbs neither", async () => {
    await log.append(PARTITION, group("a", 1, 1));
    const other =
      "#!lua name=millrace_log_00000000\nredis.register_function('append_00000000', function() return 'old' end)";
    await link.call({ name: "FUNCTION", args: ["LOAD", other] });
    await log.append(PARTITION, group("a", 2, 1));
    expect(String(await link.call({ name: "FCALL", args: ["append_00000000", 0] }))).toBe("old");
    expect(await all()).toHaveLength(2);
  });
});

describe("delivery", () => {
  test("what is behind the watermark is acked whoever it was delivered to, and delivery goes on right after it", async () => {
    await log.append(PARTITION, group("a", 1, 10));
    await log.alignGroup(PARTITION, { id: "0-0", ordinal: 0 }, "dead");
    const dead = await log.deliver(PARTITION, "dead", 6);
    const [, , third] = dead;
    expect(dead).toHaveLength(6);
    await log.alignGroup(PARTITION, { id: third?.[0] ?? "", ordinal: 3 }, "alive");
    expect(await link.call({ name: "XPENDING", args: [keys.log, "apply", "-", "+", 100] })).toEqual([]);
    const next = await log.deliver(PARTITION, "alive", 100);
    expect(next.map(([id]) => id)).toEqual((await all()).slice(3).map(([id]) => id));
    const consumers = (await link.call({ name: "XINFO", args: ["CONSUMERS", keys.log, "apply"] })) as Buffer[][];
    expect(consumers.map((fields) => String(fields[1]))).toEqual(["alive"]);
  });

  test("a missing group is made anew at the watermark, not at the log's end", async () => {
    await log.append(PARTITION, group("a", 1, 4));
    const [first] = await all();
    await log.alignGroup(PARTITION, { id: first?.[0] ?? "", ordinal: 1 }, "c");
    expect(await log.deliver(PARTITION, "c", 100)).toHaveLength(3);
    const groups = (await link.call({ name: "XINFO", args: ["GROUPS", keys.log] })) as unknown[][];
    const lag = groups[0]?.[(groups[0]?.findIndex((field) => String(field) === "lag") ?? 0) + 1];
    expect(lag).toBe(0);
  });
});

describe("trim", () => {
  test("where nothing is dropped the floor stays: a log that holds everything can heal a store from the beginning", async () => {
    const { firstId } = await log.append(PARTITION, group("a", 1, 3));
    expect(await log.trim(PARTITION, `${idTimeMs(firstId) - 1000}-0`)).toBe(0);
    expect((await log.position(PARTITION)).floor).toBe("0-0");
    expect(await log.trim(PARTITION, firstId)).toBe(1);
    expect((await log.position(PARTITION)).floor).toBe(firstId);
  });

  test("what is dropped is told by the floor, and an id once given is not given again", async () => {
    const { firstId } = await log.append(PARTITION, group("a", 1, 300));
    await log.trim(PARTITION, idAfter(firstId, 299));
    const position = await log.position(PARTITION);
    expect(position).toMatchObject({ floor: idAfter(firstId, 299), ordinal: 300, lastId: idAfter(firstId, 299) });
    expect(position.held).toBe(0);
    const { firstOrdinal } = await log.append(PARTITION, group("a", 301, 1));
    expect(firstOrdinal).toBe(301);
  });
});

describe("coordinate", () => {
  const call = (consumer: string, extra: { release?: number[]; claim?: number[]; leaseMs?: number } = {}) =>
    log.coordinate({ consumer, leaseMs: 5000, release: [], claim: [], states: new Map(), ...extra });

  test("a partition claimed by two goes to the first, and only its owner can give it up", async () => {
    await call("a", { claim: [0, 1] });
    const { owners } = await call("b", { claim: [1], release: [0] });
    expect([...owners]).toEqual([
      [0, "a"],
      [1, "a"],
    ]);
    await call("a", { release: [1] });
    expect((await call("b", { claim: [1] })).owners.get(1)).toBe("b");
  });

  test("a consumer that leaves or is not heard of loses its partitions, and the others are told", async () => {
    await call("a", { claim: [0] });
    await call("b", { claim: [1] });
    const subscriber = await openLink(redis.url);
    let told = 0;
    subscriber.client.on("message", () => {
      told += 1;
    });
    await subscriber.client.subscribe(COORDINATION.changed);
    expect((await call("a", { leaseMs: 0 })).owners.has(0)).toBe(false);
    await link.call({ name: "ZADD", args: [COORDINATION.sessions, 1, "b"] });
    const after = await call("c");
    expect(after.consumers).toEqual(["c"]);
    expect(after.owners.size).toBe(0);
    await expect.poll(() => told).toBeGreaterThanOrEqual(2);
  });
});
