import { beforeEach, describe, expect, test } from "vitest";
import { openLink } from "../tests/harness/link.ts";
import { type RedisProxy, startProxy } from "../tests/harness/proxy.ts";
import { type RedisServer, startRedis } from "../tests/harness/redis-server.ts";
import { waitFor } from "../tests/harness/wait-for.ts";
import { type Accepted, Appender } from "./appender.ts";
import { decodeEntry } from "./codec.ts";
import type { Command } from "./command.ts";
import { Log } from "./log.ts";
import { partitionOf } from "./partition.ts";
import type { Link } from "./redis/link.ts";

const PARTITIONS = 2;
const TIMEOUT_MS = 700;

let redis: RedisServer;
let proxy: RedisProxy;
let link: Link;
let direct: Log;

beforeEach(async () => {
  redis ??= await startRedis({ kind: "log" });
  proxy ??= await startProxy(redis);
  link ??= await openLink(proxy.url);
  const other = await openLink(redis.url);
  await other.call({ name: "FLUSHALL", args: [] });
  direct = new Log(other, PARTITIONS);
  await direct.prepare();
  await waitFor(() => link.ready);
});

/** An appender that finds the partition by itself. */
function appender(): { submit: (command: Command) => Promise<Accepted>; stop: () => Promise<void> } {
  const log = new Log(link, PARTITIONS);
  const subject = new Appender(log, {
    partitions: PARTITIONS,
    producer: `test-${Math.random()}`,
    timeoutMs: TIMEOUT_MS,
    usable: () => link.ready,
  });
  return {
    submit: (command) => subject.submit(partitionOf(command.namespace, command.key, PARTITIONS), command, "memory"),
    stop: () => subject.stop(),
  };
}

const put = (key: string, value: string): Command => ({
  namespace: "n",
  key,
  operation: { op: "put", contentType: "text/plain", value: Buffer.from(value) },
  awaited: false,
  acceptedMs: 1,
});

/** What the log of a key's partition holds, as key=value. */
async function logged(key: string): Promise<string[]> {
  const entries = await direct.range(partitionOf("n", key, PARTITIONS), "0-0", 10_000);
  return entries.map(([id, fields]) => {
    const entry = decodeEntry(id, fields);
    if (entry.kind !== "command" || entry.command.operation.op !== "put") return "?";
    return `${entry.command.key}=${Buffer.from(entry.command.operation.value).toString()}`;
  });
}

describe("the appender", () => {
  test("keeps the order of submission, over groups and turns", async () => {
    const subject = appender();
    const submitted: Promise<unknown>[] = [];
    for (let i = 0; i < 2000; i++) {
      submitted.push(subject.submit(put("k", `${i}`)));
      if (i % 300 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(submitted);
    expect(await logged("k")).toEqual(Array.from({ length: 2000 }, (_, i) => `k=${i}`));
  });

  test("a group whose reply is lost is in the log once, and its clients get the first ids", async () => {
    const subject = appender();
    const cut = proxy.onReply("append_", "cut");
    const accepted = await Promise.all([1, 2, 3].map((i) => subject.submit(put("k", `${i}`))));
    await cut.fired;
    expect(await logged("k")).toEqual(["k=1", "k=2", "k=3"]);
    const entries = await direct.range(partitionOf("n", "k", PARTITIONS), "0-0", 10);
    expect(accepted.map(({ id }) => id)).toEqual(entries.map(([id]) => id));
  });

  test("a group that never reached the log is there once after the connection came back", async () => {
    const subject = appender();
    const cut = proxy.onRequest("append_", "cut");
    await Promise.all([1, 2].map((i) => subject.submit(put("k", `${i}`))));
    await cut.fired;
    expect(await logged("k")).toEqual(["k=1", "k=2"]);
  });

  test("a frozen log: an answer in time that nobody knows the outcome, and later writes go through", async () => {
    const subject = appender();
    await subject.submit(put("k", "before"));
    redis.pause();
    const startMs = performance.now();
    const frozen = subject.submit(put("k", "frozen"));
    await expect(frozen).rejects.toMatchObject({ code: "outcome-unknown" });
    expect(performance.now() - startMs).toBeLessThan(10 * TIMEOUT_MS);
    const queued = subject.submit(put("k", "queued"));
    await expect(queued).rejects.toMatchObject({ code: "log-unavailable" });
    redis.resume();
    await waitFor(() => subject.submit(put("k", "after")).then(() => true));
    const entries = await logged("k");
    expect(entries[0]).toBe("k=before");
    expect(entries.filter((entry) => entry === "k=frozen").length).toBeLessThanOrEqual(1);
    expect(entries).not.toContain("k=queued");
    expect(entries.at(-1)).toBe("k=after");
  });

  test("a ghost of a given-up group that arrives late never hides or doubles a newer one", async () => {
    const subject = appender();
    proxy.freeze();
    await expect(subject.submit(put("k", "ghost"))).rejects.toMatchObject({ code: "outcome-unknown" });
    proxy.thaw();
    await waitFor(() => subject.submit(put("k", "new")).then(() => true));
    await subject.submit(put("k", "newer"));
    const entries = await logged("k");
    expect(entries.filter((entry) => entry === "k=ghost").length).toBeLessThanOrEqual(1);
    expect(entries.filter((entry) => entry !== "k=ghost")).toEqual(["k=new", "k=newer"]);
  });

  test("a refusal is certain, costs no sequence, and is told as one", async () => {
    const subject = appender();
    await subject.submit(put("k", "1"));
    const admin = await openLink(redis.url);
    await admin.call({ name: "CONFIG", args: ["SET", "maxmemory", "1"] });
    await expect(subject.submit(put("k", "refused"))).rejects.toMatchObject({ code: "log-unavailable" });
    await admin.call({ name: "CONFIG", args: ["SET", "maxmemory", "0"] });
    await subject.submit(put("k", "2"));
    expect(await logged("k")).toEqual(["k=1", "k=2"]);
    const entries = await direct.range(partitionOf("n", "k", PARTITIONS), "0-0", 10);
    const sequences = entries
      .map(([id, fields]) => decodeEntry(id, fields))
      .map((e) => e.kind === "command" && e.stamp.sequence);
    expect(sequences).toEqual([1, 2]);
  });

  test("stopping answers everything that was submitted, and takes nothing more", async () => {
    const subject = appender();
    const submitted = Array.from({ length: 50 }, (_, i) => subject.submit(put("k", `${i}`)));
    await subject.stop();
    await expect(Promise.all(submitted)).resolves.toHaveLength(50);
    await expect(subject.submit(put("k", "late"))).rejects.toMatchObject({ code: "log-unavailable" });
  });
});
