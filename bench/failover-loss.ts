/**
 * npm run bench:failover-loss
 * What each grade loses when the log's master is killed, frozen, or failed over by a bare SENTINEL FAILOVER under load: commands
 * that were acknowledged and are not in the log afterwards, and how long before the fault, or after it, they were.
 *
 * Grade `memory` is acknowledged by the master alone: what its replicas did not have yet goes with it, and until the API hears
 * of another master, a deposed one goes on acknowledging. Grade `replicated` must lose nothing.
 */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Grade } from "../core/grade.ts";
import { partitionKeys } from "../core/keys.ts";
import { startApi } from "../tests/harness/process.ts";
import { type RedisNode, startRedisGroups } from "../tests/harness/redis-groups.ts";
import { cleanUp } from "../tests/harness/running.ts";
import { withRedis } from "./redis.ts";

const PARTITIONS = 4;
const CONNECTIONS = 16;
const BEFORE_MS = 1500;
const AFTER_MS = 6000;
const VALUE = Buffer.alloc(100, "v");
const GRADES = ["memory", "replicated"] as const satisfies readonly Grade[];

interface Acknowledged {
  readonly revision: string;
  readonly atMs: number;
}

/** Writes at one grade until told to stop. @returns what was acknowledged, so far */
function keepWriting(
  url: string,
  grade: Grade,
  stopped: AbortSignal,
): { acknowledged: Acknowledged[]; done: Promise<unknown> } {
  const acknowledged: Acknowledged[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let count = 0;
  const put = () =>
    new Promise<boolean>((resolve) => {
      count += 1;
      const path = `${url}/v1/kv/bench/${grade}-${count}`;
      const sent = request(path, { method: "PUT", agent, headers: { "millrace-grade": grade } }, (response) => {
        const revision = String(response.headers["millrace-revision"]);
        if (response.statusCode === 202) acknowledged.push({ revision, atMs: performance.now() });
        response.resume();
        response.on("end", () => resolve(response.statusCode === 202));
      });
      sent.on("error", () => resolve(false));
      sent.end(VALUE);
    });
  const client = async () => {
    while (!stopped.aborted) if (!(await put())) await sleep(20);
  };
  const done = Promise.all(Array.from({ length: CONNECTIONS }, client)).finally(() => agent.destroy());
  return { acknowledged, done };
}

async function heldBy(node: RedisNode): Promise<Set<string>> {
  return withRedis(node.url, async (redis) => {
    const held = new Set<string>();
    for (const { partition, log } of partitionKeys(PARTITIONS)) {
      for (const [id] of await redis.xrange(log, "-", "+")) held.add(`${String(partition).padStart(2, "0")}-${id}`);
    }
    return held;
  });
}

const groups = await startRedisGroups();
const api = await startApi({ ...groups, env: { MILLRACE_PARTITIONS: String(PARTITIONS) } });
const faults: Record<string, (master: RedisNode) => Promise<() => Promise<void>>> = {
  "kill -9": async (master) => {
    await master.kill();
    return () => master.restart();
  },
  freeze: async (master) => {
    master.pause();
    return async () => master.resume();
  },
  "SENTINEL FAILOVER": async () => {
    await groups.log.failover();
    return async () => undefined;
  },
};
for (const [name, strike] of Object.entries(faults)) {
  await groups.log.healthy(60_000);
  const stop = new AbortController();
  const writers = GRADES.map((grade) => ({ grade, ...keepWriting(api.url, grade, stop.signal) }));
  await sleep(BEFORE_MS);
  const master = await groups.log.master();
  const struckMs = performance.now();
  const heal = await strike(master);
  await sleep(AFTER_MS);
  stop.abort();
  await Promise.all(writers.map(({ done }) => done));
  await heal();
  await groups.log.healthy(60_000);
  const held = await heldBy(await groups.log.master());
  for (const { grade, acknowledged } of writers) {
    const lost = acknowledged
      .filter(({ revision }) => !held.has(revision))
      .map(({ atMs }) => Math.round(atMs - struckMs));
    const window = lost.length > 0 ? { firstMs: Math.min(...lost), lastMs: Math.max(...lost) } : {};
    process.stdout.write(
      `${JSON.stringify({ fault: name, grade, acknowledged: acknowledged.length, lost: lost.length, ...window })}\n`,
    );
  }
}
await api.kill();
await groups.stop();
await cleanUp();
