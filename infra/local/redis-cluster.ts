/**
 * Redis Cluster on this machine: a few masters that share the slots evenly, without replicas. The local stack and the
 * tests both make theirs here.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Address } from "../../core/redis/url.ts";
import { redisFolder } from "./redis-process.ts";

/** One master: where clients find it, and where the other masters do. */
export interface ClusterPlace extends Address {
  readonly busPort: number;
}

const SLOTS = 16_384;
const STEP_MS = 25;
const JOIN_TIMEOUT_MS = 20_000;

/** What a server of a cluster is started with, beside what all servers are. */
export function clusterArguments({ busPort }: ClusterPlace): string[] {
  return ["--include", join(redisFolder, "cluster.conf"), "--cluster-port", String(busPort)];
}

export function clusterUrl(places: readonly Address[]): string {
  return `redis+cluster://${places.map(({ host, port }) => `${host}:${port}`).join(",")}`;
}

/**
 * Makes one cluster of servers that run, and returns when every one of them says that all slots are served. Servers that
 * were one before are left as they are: they find each other by themselves.
 */
export async function joinCluster(places: readonly ClusterPlace[]): Promise<void> {
  const nodes = places.map(({ host, port }) => new Redis({ host, port, protocol: 2, replyMapping: "legacy" }));
  try {
    const [first] = nodes;
    if (first === undefined) throw new Error("a cluster has at least one master");
    await Promise.all(
      nodes.map(async (node, index) => {
        if (!String(await node.call("CLUSTER", "INFO")).includes("cluster_slots_assigned:0\r\n")) return;
        const [from, to] = [index, index + 1].map((n) => Math.floor((n * SLOTS) / nodes.length));
        await node.call("CLUSTER", "ADDSLOTSRANGE", from ?? 0, (to ?? SLOTS) - 1);
      }),
    );
    for (const { host, port, busPort } of places.slice(1)) await first.call("CLUSTER", "MEET", host, port, busPort);
    const deadline = performance.now() + JOIN_TIMEOUT_MS;
    for (const node of nodes) {
      while (!(await isWhole(node, nodes.length))) {
        if (performance.now() > deadline) throw new Error(`no cluster of ${clusterUrl(places)} in time`);
        await sleep(STEP_MS);
      }
    }
  } finally {
    for (const node of nodes) node.disconnect();
  }
}

async function isWhole(node: Redis, masters: number): Promise<boolean> {
  const info = String(await node.call("CLUSTER", "INFO"));
  return ["cluster_state:ok", `cluster_slots_ok:${SLOTS}`, `cluster_size:${masters}`].every((line) =>
    info.includes(`${line}\r\n`),
  );
}
