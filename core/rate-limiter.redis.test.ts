import { beforeAll, describe, expect, test } from "vitest";
import { openLink } from "../tests/harness/link.ts";
import { startRedis } from "../tests/harness/redis-server.ts";
import { waitFor } from "../tests/harness/wait-for.ts";
import { RATE_LIMIT_WAIT_MS } from "./access-limits.ts";
import { type RateCount, type RateLimit, RateLimiter } from "./rate-limiter.ts";
import type { Link } from "./redis/link.ts";

const TEN: RateLimit = { requests: 10, seconds: 3600 };

async function limiterOn(link: Link): Promise<RateLimiter> {
  const limiter = new RateLimiter(link);
  await limiter.load();
  return limiter;
}

const count = (limiter: RateLimiter, times: number, caller: string, limit = TEN): Promise<RateCount[]> =>
  Promise.all(Array.from({ length: times }, () => limiter.count(limit, caller)));
const admitted = (counts: readonly RateCount[]) => counts.filter((one) => one.admitted).length;

async function startCluster(): Promise<string> {
  const server = await startRedis({ args: ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"] });
  const admin = await openLink(server.url);
  await admin.call({ name: "CLUSTER", args: ["ADDSLOTSRANGE", 0, 16383] });
  await waitFor(async () => String(await admin.call({ name: "CLUSTER", args: ["INFO"] })).includes("cluster_state:ok"));
  return `redis+cluster://127.0.0.1:${server.port}`;
}

describe.each([
  ["a standalone Redis", async () => (await startRedis()).url],
  ["Redis Cluster", startCluster],
])("on %s", (_, start) => {
  let link: Link;
  let limiters: RateLimiter[];
  beforeAll(async () => {
    const url = await start();
    const links = [await openLink(url, "reader"), await openLink(url, "reader")];
    link = links[0] as Link;
    limiters = await Promise.all(links.map(limiterOn));
  });

  test("all who share a caller's count admit together what one of them may", async () => {
    const counts = await Promise.all(limiters.map((limiter) => count(limiter, 10, "shared")));
    expect(admitted(counts.flat())).toBe(10);
    const refused = counts.flat().find((one) => !one.admitted);
    expect(refused?.remaining).toBe(0);
    expect(refused?.resetMs).toBeGreaterThan(3500 * 1000);
  });

  test("callers, and limits of one caller, are counted apart, under keys of one slot that expire", async () => {
    const [limiter] = limiters as [RateLimiter];
    expect(admitted(await count(limiter, 11, "one"))).toBe(10);
    expect(admitted(await count(limiter, 1, "two {odd}:name"))).toBe(1);
    expect(admitted(await count(limiter, 5, "one", { requests: 3, seconds: 60 }))).toBe(3);
    const [node] = link.masters();
    const keys = ((await node?.keys("mr:{limits}:*")) ?? []).filter((key) => /one|odd/.test(key));
    expect(keys.toSorted()).toEqual([
      "mr:{limits}:10/3600:one",
      "mr:{limits}:10/3600:two {odd}:name",
      "mr:{limits}:3/60:one",
    ]);
    for (const key of keys) expect(Number(await link.call({ name: "PTTL", args: [key] }))).toBeGreaterThan(0);
  });

  test("scripts that the server has forgotten are no reason to count alone", async () => {
    await count(limiters[0] as RateLimiter, 1, "scripts");
    await link.call({ name: "SCRIPT", args: ["FLUSH"] });
    expect((await count(limiters[1] as RateLimiter, 1, "scripts"))[0]?.remaining).toBe(8);
  });
});

test("who is over the limit costs Redis nothing more until the window ends", async () => {
  const server = await startRedis();
  const link = await openLink(server.url, "reader");
  const limiter = await limiterOn(link);
  await count(limiter, 12, "greedy");
  const calls = async () =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await link.call({ name: "INFO", args: ["commandstats"] })))?.[1]);
  const before = await calls();
  expect(admitted(await count(limiter, 50, "greedy"))).toBe(0);
  expect(await calls()).toBe(before);
});

test("a Redis that is frozen, killed or empty makes nobody wait, and nothing fail", async () => {
  const server = await startRedis();
  const link = await openLink(server.url, "reader");
  const limiter = await limiterOn(link);
  const timed = async (caller: string) => {
    const startMs = performance.now();
    const counts = await count(limiter, 15, caller);
    expect(performance.now() - startMs).toBeLessThan(RATE_LIMIT_WAIT_MS + 8_000);
    return admitted(counts);
  };
  server.pause();
  expect(await timed("frozen")).toBe(10);
  server.resume();
  await server.kill();
  expect(await timed("killed")).toBe(10);
  await server.restart();
  await waitFor(() => link.ready);
  expect(await timed("back")).toBe(10);
  // Counted there again, and not here alone.
  expect(Number(String(await link.call({ name: "GET", args: ["mr:{limits}:10/3600:back"] })))).toBeGreaterThanOrEqual(
    10,
  );
});
