/** `npm run start:cluster`: log and store as a Redis Cluster of three masters each, without replicas. */
import { join } from "node:path";
import { z } from "zod";
import { keptPorts } from "./kept-ports.ts";
import { type ClusterPlace, clusterArguments, clusterUrl, joinCluster } from "./redis-cluster.ts";
import { type RedisKind, startRedisProcess } from "./redis-process.ts";
import type { RedisTier, TierTools } from "./redis-tier.ts";

const MASTERS = 3;

const ports = z.array(z.int()).length(MASTERS);
const portsFile = z.object({ log: ports, logBuses: ports, store: ports, storeBuses: ports });

/** As for a single server: a log without replicas is safe only on the disk. */
const SERVER_ARGS: Record<RedisKind, readonly string[]> = { log: ["--appendfsync", "always"], store: [] };

export const clusteredRedis: RedisTier = {
  start: async (tools) => {
    const count = { log: MASTERS, logBuses: MASTERS, store: MASTERS, storeBuses: MASTERS };
    const kept = await keptPorts(join(tools.folder.path, "ports.json"), portsFile, count);
    const [log, store] = await Promise.all([
      startCluster("log", placesOf(kept.log, kept.logBuses), tools),
      startCluster("store", placesOf(kept.store, kept.storeBuses), tools),
    ]);
    return { log, store, notes: notesOn(kept) };
  },
};

async function startCluster(kind: RedisKind, places: readonly ClusterPlace[], tools: TierTools): Promise<string> {
  const { folder, reaper, supervise, record } = tools;
  await Promise.all(
    places.map(async (place, index) => {
      const name = `${kind}-${index + 1}`;
      const dir = await folder.dir(name);
      const args = [...clusterArguments(place), ...SERVER_ARGS[kind]];
      await supervise("redis", name, async (onSpawn) => {
        const { child } = await startRedisProcess({ kind, dir, reaper, args, port: place.port, onSpawn });
        await record(name, { pid: child.pid, command: `127.0.0.1:${place.port}` });
      });
    }),
  );
  await joinCluster(places);
  return clusterUrl(places);
}

function placesOf(own: readonly number[], buses: readonly number[]): ClusterPlace[] {
  return own.map((port, index) => ({ host: "127.0.0.1", port, busPort: buses[index] ?? 0 }));
}

function notesOn({ log, store }: z.infer<typeof portsFile>): string {
  return `
Which master has which slots, of log and store:

  redis-cli -p ${log[0]} cluster nodes
  redis-cli -p ${store[0]} cluster nodes
`;
}
