import { expect, test } from "vitest";
import { accepted, httpClient, WAIT } from "../harness/http.ts";
import { openRedis, readLog } from "../harness/log-reader.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startRedis } from "../harness/redis-server.ts";
import { sentinelUrl, startSentinel } from "../harness/sentinel.ts";
import { startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

test("what the log's replica does not hold is neither acknowledged nor applied, and once it does it is applied once", async () => {
  const stack = await startStack({
    partitions: 1,
    consumers: 0,
    reach: async ({ log }) => {
      const sentinels = [await startSentinel(log), await startSentinel(log), await startSentinel(log)];
      return { log: { url: sentinelUrl(sentinels.map(({ port }) => port)) } };
    },
  });
  const replica = await startRedis({ args: ["--replicaof", "127.0.0.1", String(stack.log.port)] });
  const replicaView = openRedis(replica);
  await waitFor(async () => (await replicaView.info("replication")).includes("master_link_status:up"), {
    what: "a replica in sync",
  });
  const consumer = await stack.addConsumer();
  const client = httpClient(stack.url);
  const [log, store] = [readLog(stack.log, 1), readStore(stack.store, 1)];
  const partitions = watchPartitions(stack.url);

  const confirmed = await client.increment("confirmed", "counter");
  accepted(confirmed);
  expect(confirmed.headers["millrace-grade"]).toBe("replicated");
  expect((await client.increment("confirmed", "counter", "1", WAIT)).headers["millrace-grade"]).toBe("replicated");
  await partitions.drained();
  const before = await store.watermark(0);

  replica.pause();
  const refused = await client.increment("confirmed", "counter");
  expect(refused.status).toBe(503);
  expect(refused.text).toContain("outcome-unknown");
  // Who asks for less is not kept waiting by who asks for more.
  let waits = true;
  const waiting = client.increment("confirmed", "counter").finally(() => {
    waits = false;
  });
  const inMemory = await client.increment("confirmed", "counter", "1", { headers: { "millrace-grade": "memory" } });
  accepted(inMemory);
  expect(inMemory.headers["millrace-grade"]).toBe("memory");
  expect(waits).toBe(true);
  expect((await waiting).status).toBe(503);
  expect(await log.entries(0)).toHaveLength(5);

  // It has been read again and again, and was not applied.
  await partitions.inState(0, "unconfirmed");
  const holds = async () => {
    const metrics = await (await fetch(`${consumer.opsUrl}/metrics`)).text();
    return Number(/^millrace_partition_holds_total (\d+)$/m.exec(metrics)?.[1]);
  };
  const held = await holds();
  await waitFor(async () => (await holds()) >= held + 3, { what: "three more attempts of the consumer" });
  expect(await store.watermark(0)).toEqual(before);
  expect((await client.get("confirmed", "counter")).text).toBe("2");

  replica.resume();
  await partitions.drained();
  expect((await client.get("confirmed", "counter")).text).toBe("5");
  expect(await log.entries(0)).toHaveLength(5);
  await partitions.inState(0, "ok");
  accepted(await client.increment("confirmed", "counter"));
});
