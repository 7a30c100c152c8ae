import { setTimeout as sleep } from "node:timers/promises";
import type { RedisKind } from "../../../../infra/local/redis-process.ts";
import type { Nemesis } from "../nemesis.ts";

/** The old master goes on taking writes for some seconds: Sentinel does not fence it. */
const OLD_MASTER_MS = 3_000;

const failover = (kind: RedisKind): Nemesis => ({
  name: `${kind}-failover`,
  does: `bare SENTINEL FAILOVER of the ${kind} under load`,
  targets: [kind],
  async strike({ cluster, note }) {
    const master = await cluster.groups.group(kind).failover();
    note(`failover to ${master.host}:${master.port}`);
    await sleep(OLD_MASTER_MS);
  },
});

export const logFailover = failover("log");
export const storeFailover = failover("store");
