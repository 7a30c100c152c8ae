import { expect, test } from "vitest";
import { httpClient } from "../harness/http.ts";
import { startApi, startConsumer } from "../harness/process.ts";
import { startRedisGroups } from "../harness/redis-groups.ts";
import { waitFor } from "../harness/wait-for.ts";

test("a failover of the log's Redis breaks no answer, and afterwards all processes count together again", async () => {
  const { log, store } = await startRedisGroups();
  const options = { log, store, env: { MILLRACE_PARTITIONS: "4", MILLRACE_RATE_LIMIT: "100000/1h" } };
  await startConsumer(options);
  const clients = [await startApi(options), await startApi(options)].map(({ url }) => httpClient(url));
  const left = async (index: 0 | 1) => {
    const startMs = performance.now();
    const answer = await clients[index]?.send("GET", "/v1/kv/n/a");
    const ms = performance.now() - startMs;
    return { status: answer?.status, ms, left: Number(/r=(\d+)/.exec(String(answer?.headers.ratelimit))?.[1]) };
  };
  const together = async () => {
    const [first, second, third] = [await left(0), await left(1), await left(0)];
    return first.left - 1 === second.left && second.left - 1 === third.left;
  };
  await waitFor(together);
  const old = await log.master();
  await old.kill();
  const answers: Awaited<ReturnType<typeof left>>[] = [];
  await waitFor(async () => {
    answers.push(await left(0), await left(1));
    const master = await log.master();
    return master !== old && (await together());
  });
  expect(answers.filter(({ status }) => status !== 404)).toEqual([]);
  // Each is allowed a tenth of a second for that; who waited for a new master would wait for several.
  const inTime = answers.filter(({ ms }) => ms < 1_500).length;
  expect(inTime).toBeGreaterThan(0.9 * answers.length);
});
