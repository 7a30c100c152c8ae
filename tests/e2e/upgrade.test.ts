import { expect, test } from "vitest";
import { keepDoing } from "../harness/crowd.ts";
import { accepted, httpClient } from "../harness/http.ts";
import { openRedis } from "../harness/log-reader.ts";
import { buildOtherVersion } from "../harness/other-version.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;
const NAMESPACE = "upgraded";
const KEYS = Array.from({ length: 8 }, (_, index) => `key-${index}`);
const env = { MILLRACE_PARTITIONS: String(PARTITIONS) };
const named = (MILLRACE_CONSUMER: string) => ({ ...env, MILLRACE_CONSUMER });

test("consumers, then APIs are rolled to another version and back under traffic: both append and apply on the same Redis, nothing is lost, doubled or reordered", async () => {
  const stack = await startStack({ partitions: PARTITIONS, consumers: 0 });
  await stack.addConsumer({ env: named("old") });
  const partitions = watchPartitions(stack.url);
  const counted = new Map(KEYS.map((key) => [key, 0]));
  let clients = [httpClient(stack.url)];
  const load = keepDoing(KEYS.length, async (index) => {
    const key = KEYS[index % KEYS.length] ?? "";
    const client = clients[index % clients.length];
    if (client) accepted(await client.increment(NAMESPACE, key));
    counted.set(key, (counted.get(key) ?? 0) + 1);
  });
  let last = 0;
  const inOrder = keepDoing(1, async (index) => {
    const client = clients[index % clients.length];
    if (client) accepted(await client.put(NAMESPACE, "last", String(index)));
    last = index;
  });
  const applied = async () => (await partitions.view()).reduce((sum, { ordinal }) => sum + ordinal, 0);
  /** Both go on for a while with what runs now. */
  const traffic = async () => {
    const [written, before] = [load.count, await applied()];
    await waitFor(async () => load.count > written + 100 && (await applied()) > before + 100, { timeoutMs: 20_000 });
  };
  const libraries = async (server: { readonly url: string }) => {
    const rows = (await openRedis(server).call("FUNCTION", "LIST")) as string[][];
    return rows.map((row) => row[1] ?? "").filter((name) => name.startsWith("millrace_"));
  };

  await traffic();
  const other = await buildOtherVersion();
  const newConsumer = await other.start("consumer", stack, named("new"));
  await partitions.ownedBy(["old", "new"]);
  await traffic();
  const newApi = await other.start("api", stack, env);
  clients = [...clients, httpClient(newApi.url)];
  await traffic();
  expect(await stack.consumers[0]?.stop()).toBe(0);
  await partitions.ownedBy(["new"]);
  await traffic();
  for (const server of [stack.log, stack.store]) expect(await libraries(server)).toHaveLength(2);

  // And back: the APIs first, then the consumers.
  clients = [httpClient(stack.url)];
  await traffic();
  expect(await newApi.stop()).toBe(0);
  await stack.addConsumer({ env: named("old-again") });
  await partitions.ownedBy(["new", "old-again"]);
  await traffic();
  expect(await newConsumer.stop()).toBe(0);
  await traffic();
  await Promise.all([load.stop(), inOrder.stop()]);

  await partitions.drained();
  const [client] = clients;
  const values = await Promise.all(
    KEYS.map(async (key) => [key, Number((await client?.get(NAMESPACE, key))?.text)] as const),
  );
  expect(values).toEqual([...counted]);
  expect((await client?.get(NAMESPACE, "last"))?.text).toBe(String(last));
  expect((await partitions.view()).map(({ state }) => state)).toEqual(KEYS.slice(0, PARTITIONS).map(() => "ok"));
});
