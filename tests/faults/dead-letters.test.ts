import { beforeAll, describe, expect, test } from "vitest";
import { formatRevision } from "../../core/entry-id.ts";
import { type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { type LogReader, readLog } from "../harness/log-reader.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { type RedisProxy, startProxy } from "../harness/proxy.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore, type StoreReader } from "../harness/store-reader.ts";

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

  const deadStatus = async (revision: string) => JSON.parse((await client.command(revision, 5)).text) as unknown;

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
