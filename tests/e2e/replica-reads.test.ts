import { expect, test } from "vitest";
import { applied, httpClient, WAIT } from "../harness/http.ts";
import { openRedis } from "../harness/log-reader.ts";
import { startRedisGroups } from "../harness/redis-groups.ts";
import { startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

test("a replica answers who allows it, never below the minimum revision; without one the master does", async () => {
  const groups = await startRedisGroups({ nodes: 2 });
  const stack = await startStack({ partitions: 2, reach: async () => groups });
  const client = httpClient(stack.url);
  const [replica] = await groups.store.replicas();
  const calls = async (command: string) => {
    const stats = await openRedis({ url: replica?.url ?? "" }).info("commandstats");
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  };
  const reads = () => calls("mget");
  const get = (revision: string) =>
    client.send("GET", "/v1/kv/n/k?consistency=replica", {
      headers: { "millrace-min-revision": revision, ...WAIT.headers },
    });

  const first = applied(await client.put("n", "k", "0", WAIT));
  await waitFor(async () => (await get(first.text)).status === 200 && (await reads()) > 0, {
    what: "a read from the replica",
  });
  for (let i = 1; i <= 50; i++) {
    const { text: revision } = applied(await client.put("n", "k", `${i}`, WAIT));
    const answer = await get(revision);
    expect([answer.status, answer.text]).toEqual([200, `${i}`]);
  }
  const before = await reads();
  expect((await client.get("n", "k")).text).toBe("50");
  expect(await reads()).toBe(before);
  expect(before).toBeGreaterThan(40);

  const revision = applied(await client.put("n", "k", "51", WAIT)).text;
  const list = async (query: string) =>
    JSON.parse(
      (
        await client.send("GET", `/v1/kv/n?values=true${query}`, {
          headers: { "millrace-min-revision": revision, ...WAIT.headers },
        })
      ).text,
    ).keys;
  const listed = await calls("fcall_ro");
  expect(await list("&consistency=replica")).toMatchObject([{ key: "k", revision, value: "51" }]);
  expect(await calls("fcall_ro")).toBeGreaterThan(listed);
  const after = await calls("fcall_ro");
  expect(await list("")).toMatchObject([{ key: "k", revision, value: "51" }]);
  expect(await calls("fcall_ro")).toBe(after);

  await replica?.kill();
  await waitFor(async () => (await client.send("GET", "/v1/kv/n/k?consistency=replica")).text === "51");
  expect((await client.send("GET", "/v1/kv/n/k?consistency=any")).status).toBe(400);
});
