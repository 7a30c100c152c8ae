/** Two real Redis Clusters for a test, log and store, with several masters each, whose slots can be moved. */
import calculateSlot from "cluster-key-slot";
import { Redis } from "ioredis";
import { type ClusterPlace, clusterArguments, clusterUrl, joinCluster } from "../../infra/local/redis-cluster.ts";
import type { RedisKind } from "../../infra/local/redis-process.ts";
import { findTestPort } from "./ports.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { cleanUpLater } from "./running.ts";

export interface RedisCluster {
  /** redis+cluster://host:port,… */
  readonly url: string;
  readonly masters: readonly RedisServer[];
  /** The master that has this key's slot now, by its own word. */
  ownerOf(key: string): Promise<RedisServer>;
  /** Moves the slot of this key, with all that is in it, as an operator does while clients go on. */
  moveSlotOf(key: string, to: RedisServer): Promise<void>;
}

export interface RedisClusters {
  readonly log: RedisCluster;
  readonly store: RedisCluster;
}

const MASTERS = 3;
const KEYS_AT_ONCE = 10;
const MIGRATE_TIMEOUT_MS = 5000;

/** Starts both; each has all slots served, by every master's own word. All is ended with the test file. */
export async function startRedisClusters(masters = MASTERS): Promise<RedisClusters> {
  const [log, store] = await Promise.all([startCluster("log", masters), startCluster("store", masters)]);
  return { log, store };
}

async function startCluster(kind: RedisKind, count: number): Promise<RedisCluster> {
  const places: ClusterPlace[] = [];
  while (places.length < count) {
    places.push({ host: "127.0.0.1", port: await findTestPort(), busPort: await findTestPort() });
  }
  const masters = await Promise.all(
    places.map((place) => startRedis({ kind, port: place.port, args: clusterArguments(place) })),
  );
  await joinCluster(places);
  const admins = new Map(masters.map((server) => [server, admin(server)] as const));
  const tell = (server: RedisServer, command: string, ...args: (string | number)[]): Promise<unknown> => {
    const redis = admins.get(server);
    if (redis === undefined) throw new Error(`${server.url} is not one of this cluster`);
    return redis.call(command, ...args);
  };

  const cluster: RedisCluster = {
    url: clusterUrl(places),
    masters,
    ownerOf: async (key) => {
      const slot = calculateSlot(key);
      for (const server of masters) {
        if (await hasSlot(() => tell(server, "CLUSTER", "NODES"), slot)) return server;
      }
      throw new Error(`nobody has slot ${slot}`);
    },
    moveSlotOf: async (key, to) => {
      const slot = calculateSlot(key);
      const from = await cluster.ownerOf(key);
      if (from === to) return;
      const [fromId, toId] = [String(await tell(from, "CLUSTER", "MYID")), String(await tell(to, "CLUSTER", "MYID"))];
      await tell(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
      await tell(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
      for (;;) {
        const keys = (await tell(from, "CLUSTER", "GETKEYSINSLOT", slot, KEYS_AT_ONCE)) as string[];
        if (keys.length === 0) break;
        await tell(from, "MIGRATE", "127.0.0.1", to.port, "", 0, MIGRATE_TIMEOUT_MS, "KEYS", ...keys);
      }
      // The new owner first: until it knows, the old one sends everybody there in vain.
      for (const server of [to, from, ...masters.filter((one) => one !== from && one !== to)]) {
        await tell(server, "CLUSTER", "SETSLOT", slot, "NODE", toId);
      }
    },
  };
  return cluster;
}

function admin({ port }: RedisServer): Redis {
  const redis = new Redis({ port, protocol: 2, replyMapping: "legacy" });
  cleanUpLater(() => redis.disconnect());
  return redis;
}

/** @param ask gives CLUSTER NODES of the server in question */
async function hasSlot(ask: () => Promise<unknown>, slot: number): Promise<boolean> {
  const own = String(await ask())
    .split("\n")
    .find((line) => line.includes("myself"));
  const ranges = (own?.split(" ").slice(8) ?? []).filter((range) => !range.startsWith("["));
  return ranges.some((range) => {
    const [from, to = from] = range.split("-").map(Number);
    return from !== undefined && to !== undefined && from <= slot && slot <= to;
  });
}
