import { beforeAll, describe, expect, test } from "vitest";
import { formatRevision } from "../../core/entry-id.ts";
import { accepted, type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { type LogReader, readLog } from "../harness/log-reader.ts";
import { watchPartitions } from "../harness/partitions.ts";
import type { ConsumerProcess } from "../harness/process.ts";
import { type RedisProxy, startProxy } from "../harness/proxy.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore, type StoreReader } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

describe("a command that can never be applied is parked exactly once and holds nothing up:", () => {
  let stack: Stack;
  let proxy: RedisProxy;
  let log: LogReader;
  let store: StoreReader;
  let client: HttpClient;
  beforeAll(async () => {
    stack = await startStack({ partitions: 1, consumers: 0, env: { MILLRACE_LEASE_MS: "500" } });
    proxy = await startProxy(stack.store);
    log = readLog(stack.log, 1);
    store = readStore(stack.store, 1);
    client = httpClient(stack.url);
    await stack.addConsumer();
  });

  const deadStatus = async (revision: string) => JSON.parse((await client.command(revision, 10)).text) as unknown;

  const expectLaterApplied = async (): Promise<void> => {
    const answer = await client.put("letters", `later-${performance.now()}`, "fine", WAIT);
    expect(answer.status).toBe(201);
  };

  test.each([
    ["an entry that is no command", ["foo", "bar"]],
    ["an entry with our fields and nonsense in them", ["v1", "nonsense", "b", "body"]],
    ["an entry with no ordinal", ["v1", '{"p":"x","s":1,"t":1,"o":"put","n":"n","k":"k","c":"t"}', "b", "body"]],
  ])("%s", async (_, fields) => {
    const before = await store.dead(0);
    const id = String(await log.redis.xadd(log.keys(0).log, "*", ...fields));
    expect(await deadStatus(formatRevision(0, id))).toMatchObject({ status: "dead" });
    expect(await store.dead(0)).toEqual([...before, id]);
    await expectLaterApplied();
  });

  test("a command on a key where the store holds something else", async () => {
    const before = await store.dead(0);
    await store.redis.rpush(store.keys(0).value("letters", "foreign"), "a", "b");
    const revision = revisionOf(await client.put("letters", "foreign", "value"));
    expect(await deadStatus(revision.text)).toMatchObject({ status: "dead" });
    expect(await store.dead(0)).toEqual([...before, revision.id]);
    expect(await store.redis.lrange(store.keys(0).value("letters", "foreign"), 0, -1)).toEqual(["a", "b"]);
    await expectLaterApplied();
  });

  test("also when the consumer is killed before it hears that it is parked", async () => {
    await stack.consumers.find(({ running }) => running)?.stop();
    const before = await store.dead(0);
    const id = String(await log.redis.xadd(log.keys(0).log, "*", "foo", "bar"));
    const revision = revisionOf(await client.increment("letters", "foreign"));

    const victim = stack.addConsumer({ store: proxy, waitReady: false });
    const hook = proxy.onReply("apply_", async () => {
      expect((await store.dead(0)).length).toBeGreaterThan(before.length);
      await (await victim).kill();
      return "cut";
    });
    await hook.fired;

    await stack.addConsumer();
    await watchPartitions(stack.url).drained();
    await expectLaterApplied();
    expect(await store.dead(0)).toEqual([...before, id, revision.id]);
    expect(await deadStatus(revision.text)).toMatchObject({ status: "dead" });
  });
});

describe("dead letters that are replayed", () => {
  const LETTERS = "/v1/dead-letters";
  const COUNT = 60;
  let stack: Stack;
  let proxy: RedisProxy;
  let store: StoreReader;
  let client: HttpClient;
  let consumer: ConsumerProcess;
  beforeAll(async () => {
    stack = await startStack({ partitions: 1, consumers: 0, env: { MILLRACE_LEASE_MS: "500" } });
    proxy = await startProxy(stack.store);
    store = readStore(stack.store, 1);
    client = httpClient(stack.url);
    consumer = await stack.addConsumer();
  });

  const valueKey = (key: string) => store.keys(0).value("n", key);
  const poison = (key: string) => store.redis.set(valueKey(key), "rubbish");
  const drained = () => watchPartitions(stack.url).drained();
  const replayAll = (query: string) => client.send("POST", `${LETTERS}/replay?limit=500&${query}`);

  test.each([
    ["before its apply", "onRequest"],
    ["after its apply and before it hears of it", "onReply"],
  ] as const)("are applied once each when the consumer is killed %s", async (name, moment) => {
    const key = `counter-${moment}`;
    await poison(key);
    for (let i = 0; i < COUNT; i += 1) accepted(await client.increment("n", key));
    await drained();
    expect((await store.dead(0)).length).toBe(COUNT);
    await store.redis.del(valueKey(key));
    await consumer.stop();

    // Asked for twice: every letter has two replays in the log.
    for (let times = 0; times < 2; times += 1) {
      expect(JSON.parse((await replayAll(`key=${key}`)).text)).toMatchObject({ counts: { queued: COUNT } });
    }
    const victim = stack.addConsumer({ store: proxy, waitReady: false });
    const hook = proxy[moment]("apply_", async () => {
      const left = (await store.dead(0)).length;
      expect(left, name).toBe(moment === "onRequest" ? COUNT : 0);
      await (await victim).kill();
      return "cut";
    });
    await hook.fired;
    consumer = await stack.addConsumer();
    await drained();
    expect((await client.get("n", key)).text).toBe(String(COUNT));
    expect(await store.dead(0)).toEqual([]);
  });

  test("yield to every newer write that the log holds first, and to none that it holds after them", async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `race-${i}`);
    for (const key of keys) {
      await poison(key);
      accepted(await client.put("n", key, "dead"));
    }
    await drained();
    for (const key of keys) await store.redis.del(valueKey(key));
    consumer.pause();
    const [before, after] = [keys.slice(0, 10), keys.slice(10)];
    for (const key of before) accepted(await client.put("n", key, "newer"));
    const replays = JSON.parse((await replayAll("prefix=race-")).text) as {
      letters: { key: string; revision: string }[];
    };
    for (const key of after) accepted(await client.put("n", key, "newer"));
    consumer.resume();
    await drained();
    for (const { key, revision } of replays.letters) {
      expect((await client.get("n", key)).text).toBe("newer");
      expect(JSON.parse((await client.command(revision)).text)).toMatchObject({
        status: before.includes(key) ? "rejected" : "applied",
      });
    }
    expect(replays.letters).toHaveLength(20);
    expect((await store.dead(0)).length).toBe(10);
    await client.send("DELETE", `${LETTERS}?all=true`, WAIT);
  });

  test("never win against a newer write that races them, whichever comes first", async () => {
    const keys = Array.from({ length: 30 }, (_, i) => `rush-${i}`);
    for (const key of keys) {
      await poison(key);
      accepted(await client.put("n", key, "dead"));
    }
    await drained();
    for (const key of keys) await store.redis.del(valueKey(key));
    const write = (key: string, i: number) =>
      i % 2 === 0 ? client.put("n", key, "newer", WAIT) : client.remove("n", key, WAIT);
    const early = keys.map((key, i) => (i < 15 ? write(key, i) : null));
    const replaying = replayAll("prefix=rush-");
    const late = keys.map((key, i) => (i < 15 ? null : write(key, i)));
    const [answers] = await Promise.all([replaying, ...early, ...late]);
    expect(answers.status).toBe(202);
    await drained();
    for (const [i, key] of keys.entries()) {
      const answer = await client.get("n", key);
      expect([answer.status, i % 2 === 0 ? answer.text : ""]).toEqual(i % 2 === 0 ? [200, "newer"] : [404, ""]);
    }
    await client.send("DELETE", `${LETTERS}?all=true`, WAIT);
  });
});

test("a store that is healed from the log has the same dead letters again, tried as often, and the same values", async () => {
  const stack = await startStack({ partitions: 1 });
  const store = readStore(stack.store, 1);
  const log = readLog(stack.log, 1);
  const client = httpClient(stack.url);
  const letters = "/v1/dead-letters";
  const failing = ["heal-a", "heal-b"];
  const poison = () => Promise.all(failing.map((key) => store.redis.set(store.keys(0).value("n", key), "rubbish")));
  await poison();
  const ids: string[] = [];
  for (let i = 0; i < 30; i += 1) {
    ids.push(accepted(await client.put("n", failing[i % 2] ?? "", `value ${i}`)).text);
    accepted(await client.increment("n", `fine-${i % 3}`));
  }
  await log.redis.xadd(log.keys(0).log, "*", "foo", "bar");
  await watchPartitions(stack.url).drained();
  for (const id of ids.slice(0, 5)) accepted(await client.send("DELETE", `${letters}/${id}`));
  expect((await client.send("POST", `${letters}/replay?key=heal-a`)).status).toBe(202);
  expect((await client.send("POST", `${letters}/replay?key=heal-b&force=true`)).status).toBe(202);
  await watchPartitions(stack.url).drained();
  await waitFor(async () => (await store.dead(0)).length === 26, {
    what: "30 commands and an entry without the discarded",
  });
  const before = await store.snapshot();
  expect(JSON.stringify(before)).toContain("not a value of ours");

  await Promise.all(stack.consumers.map((consumer) => consumer.stop()));
  await stack.store.wipe();
  await poison();
  await stack.addConsumer();
  await waitFor(async () => (await store.snapshot())[store.keys(0).watermark] === before[store.keys(0).watermark], {
    what: "a healed store",
  });
  expect(await store.snapshot()).toEqual(before);
  expect(JSON.parse((await client.send("GET", `${letters}/${ids[6]}`)).text)).toMatchObject({ attempts: 2 });
});
