import { setTimeout as sleep } from "node:timers/promises";
import type { RedisKind } from "../../../../infra/local/redis-process.ts";
import { cut, sidesOf } from "../links.ts";
import type { Nemesis } from "../nemesis.ts";

const LAG_MS = 700;
/** The old master goes on taking writes until Sentinel turns it into a replica: some seconds. */
const OLD_MASTER_MS = 4_000;

/**
 * Nobody dies, so nobody's connection tells that something has happened: a consumer may find itself on a store that went
 * back between one batch and the next.
 */
const failoverCut = (kind: RedisKind): Nemesis => ({
  name: `${kind}-failover-cut`,
  does: `replication of the ${kind} is cut, then SENTINEL FAILOVER: the old master goes on with writes that nobody else has`,
  needs: ["network"],
  targets: [kind],
  async strike(strike) {
    const { cluster, note } = strike;
    const { master, replicas } = await sidesOf(cluster, kind);
    await cut(strike, [master], replicas);
    await sleep(LAG_MS);
    const next = await cluster.groups.group(kind).failover();
    note(`failover to ${next.host}:${next.port}`);
    await sleep(OLD_MASTER_MS);
  },
});

export const logFailoverCut = failoverCut("log");
export const storeFailoverCut = failoverCut("store");
