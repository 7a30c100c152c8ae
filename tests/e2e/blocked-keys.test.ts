import { expect, test } from "vitest";
import { partitionOf } from "../../core/partition.ts";
import { eachOf } from "../harness/crowd.ts";
import { applied, httpClient, WAIT } from "../harness/http.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { setNamespace, untilInEffect } from "../harness/settings.ts";
import { startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";

const PARTITIONS = 2;
const LETTERS = "/v1/dead-letters";

test("in a namespace that blocks, a key's later writes wait behind a failed one and are replayed in order, also while new ones come", async () => {
  const stack = await startStack({ partitions: PARTITIONS, apis: 2 });
  const client = httpClient(stack.url);
  await setNamespace(client, "orders", { parking: "block", wait: 7 });
  for (const { url } of stack.apis) await untilInEffect(url, "orders");
  const store = readStore(stack.store, PARTITIONS);
  const keyOf = (namespace: string) => store.keys(partitionOf(namespace, "k", PARTITIONS)).value(namespace, "k");
  const statusOf = async (namespace: string) => (await client.increment(namespace, "k", "1", WAIT)).status;

  for (const namespace of ["orders", "plain"]) {
    await store.redis.set(keyOf(namespace), "rubbish");
    expect(await statusOf(namespace)).toBe(422);
    await store.redis.del(keyOf(namespace));
  }
  // The cause is gone. Elsewhere the key goes on; here it waits until somebody has settled what failed.
  expect(await statusOf("plain")).toBe(200);
  expect(await statusOf("orders")).toBe(422);
  expect(applied(await client.increment("orders", "another", "1", WAIT)).id).toBeTruthy();
  const waiting = await client.send("GET", `${LETTERS}?namespace=orders`);
  expect(JSON.parse(waiting.text)).toMatchObject({
    letters: [{ key: "k" }, { key: "k", reason: expect.stringMatching(/^blocked by /) as string }],
  });

  // New writes come all the while: each is applied in its place or waits as one more letter. None is lost or doubled.
  let told = 2;
  const other = httpClient(stack.apis[1]?.url ?? "");
  await Promise.all([
    eachOf(Array.from({ length: 100 }), 4, async () => {
      const answer = await other.increment("orders", "k", "1", WAIT);
      expect([200, 422]).toContain(answer.status);
      told += 1;
    }),
    eachOf(Array.from({ length: 10 }), 1, () =>
      client.send("POST", `${LETTERS}/replay?namespace=orders`, { headers: WAIT.headers }),
    ),
  ]);
  for (let left = 1; left > 0; ) {
    await client.send("POST", `${LETTERS}/replay?namespace=orders`, { headers: WAIT.headers });
    left = (JSON.parse((await client.send("GET", `${LETTERS}?namespace=orders`)).text) as { letters: [] }).letters
      .length;
  }
  await watchPartitions(stack.url).drained();
  expect((await client.get("orders", "k")).text).toBe(String(told));
  expect(await statusOf("orders")).toBe(200);
});
