import { expect, test } from "vitest";
import { keepDoing } from "../harness/crowd.ts";
import { accepted, applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { inTime } from "../harness/in-time.ts";
import { type Partitions, watchPartitions } from "../harness/partitions.ts";
import { type StackOptions, startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 16;
/** So long that whoever waits for it is found out, however slow the machine is. */
const LONG_LEASE_MS = 20_000;
const STALL_MAX_MS = LONG_LEASE_MS / 4;

async function start(names: readonly string[], options: StackOptions) {
  const stack = await startStack({ partitions: PARTITIONS, consumers: 0, ...options });
  const add = (name: string) => stack.addConsumer({ env: { MILLRACE_CONSUMER: name } });
  const consumers = await Promise.all(names.map(add));
  const partitions = watchPartitions(stack.url);
  await partitions.ownedBy(names);
  return { stack, add, consumers, partitions, client: httpClient(stack.url) };
}

/** Writes that wait for their result, all the time; how long the slowest took. */
function writeAndWait(client: HttpClient) {
  let slowestMs = 0;
  const load = keepDoing(4, async (index) => {
    const startMs = performance.now();
    applied(await client.put("moving", `key-${index % 200}`, `${index}`, WAIT));
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
  });
  return {
    stop: async () => {
      await load.stop();
      return { count: load.count, slowestMs };
    },
  };
}

const spread = async (partitions: Partitions) => [...(await partitions.owned()).values()].toSorted((a, b) => a - b);

test("a consumer that is told to stop hands its partitions over at once, and no write waits for a lease", async () => {
  const { consumers, partitions, client } = await start(["leaves", "stays"], {
    env: { MILLRACE_LEASE_MS: String(LONG_LEASE_MS) },
  });
  const load = writeAndWait(client);

  const startMs = performance.now();
  const [code] = await Promise.all([consumers[0]?.stop(), partitions.ownedBy(["stays"])]);
  const tookMs = performance.now() - startMs;
  await partitions.drained();

  const { count, slowestMs } = await load.stop();
  expect(code).toBe(0);
  expect(count).toBeGreaterThan(0);
  expect(slowestMs).toBeLessThan(STALL_MAX_MS);
  expect(tookMs).toBeLessThan(STALL_MAX_MS);
});

test("the partitions of a killed consumer move within its lease and a second, and what was accepted is applied", async () => {
  const leaseMs = 2_000;
  const { add, partitions, client } = await start(["lives"], { env: { MILLRACE_LEASE_MS: String(leaseMs) } });
  const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`);

  const writeAndMove = async () => {
    const written = Promise.all(keys.map((key) => client.put("moving", key, "after", WAIT)));
    await partitions.ownedBy(["lives"]);
    await partitions.drained();
    for (const answer of await written) applied(answer);
  };
  await inTime(leaseMs + 1_000, writeAndMove, async (before) => {
    const name = `dies-${before}`;
    const consumer = await add(name);
    await partitions.ownedBy([name, "lives"]);
    await consumer.kill();
  });
});

test("a new consumer gets its fair share while writes that wait go on, without a failure or a stall", async () => {
  const { add, partitions, client } = await start(["first"], { env: { MILLRACE_LEASE_MS: String(LONG_LEASE_MS) } });
  const load = writeAndWait(client);

  await add("second");
  await partitions.ownedBy(["first", "second"]);
  expect(await spread(partitions)).toEqual([8, 8]);
  await add("third");
  await partitions.ownedBy(["first", "second", "third"]);
  expect(await spread(partitions)).toEqual([5, 5, 6]);

  const { count, slowestMs } = await load.stop();
  expect(count).toBeGreaterThan(0);
  expect(slowestMs).toBeLessThan(STALL_MAX_MS);
});

test("partitions without a living consumer are not shown as owned, however the last one went", async () => {
  const { consumers, partitions, client } = await start(["last"], { env: { MILLRACE_LEASE_MS: "500" } });
  await consumers[0]?.kill();
  accepted(await client.put("moving", "key", "waits"));
  await waitFor(async () => (await partitions.view()).every(({ owner, state }) => owner === null && state === "held"), {
    what: "no owner",
  });
});
