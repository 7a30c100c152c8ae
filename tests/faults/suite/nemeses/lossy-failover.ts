import { setTimeout as sleep } from "node:timers/promises";
import type { RedisKind } from "../../../../infra/local/redis-process.ts";
import { tell } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

/** Shorter than what a Sentinel takes for down: the replicas must still be fit for promotion. */
const LAG_MS = 600;

/**
 * Replication is really cut, with no rights on the network: the replicas are stopped, so that they cannot connect again,
 * and the master closes its connections to them. What it takes from then on is nowhere else when it is killed. (Stopped
 * replicas alone would still find it in their sockets when they wake up.)
 */
const lossyFailover = (kind: RedisKind, does: string): Nemesis => ({
  name: kind === "store" ? "store-failover-lossy" : "log-lag-kill",
  does,
  targets: [kind],
  ...(kind === "store" && { core: true }),
  async strike({ cluster, note, later, random }) {
    const master = await cluster.master(kind);
    const replicas = await cluster.replicas(kind);
    note(`cut replication of ${master.host}:${master.port}`);
    later(() => master.restart());
    // The log's backstop would refuse every write at once, and nothing would lag. The guard's restart puts it back.
    await tell(master, "CONFIG", "SET", "min-replicas-to-write", 0);
    for (const replica of replicas) replica.pause();
    try {
      await tell(master, "CLIENT", "KILL", "TYPE", "replica");
      await sleep(LAG_MS - 100 + random.integer(0, 100));
      note(`kill ${master.host}:${master.port}`);
      await master.kill();
    } finally {
      for (const replica of replicas) replica.resume();
    }
    await sleep(random.integer(3_000, 4_000));
  },
});

export const storeFailoverLossy = lossyFailover(
  "store",
  "replication of the store is cut, then its master is killed: what it had applied meanwhile is lost and must be healed",
);
export const logLagKill = lossyFailover(
  "log",
  "replication of the log lags, then its master is killed: what only it had must not have been acknowledged",
);
