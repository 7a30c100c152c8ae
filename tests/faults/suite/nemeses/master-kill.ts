import { setTimeout as sleep } from "node:timers/promises";
import type { RedisKind } from "../../../../infra/local/redis-process.ts";
import type { Nemesis } from "../nemesis.ts";

const masterKill = (kind: RedisKind): Nemesis => ({
  name: `${kind}-master-kill`,
  does: `the ${kind}'s master is killed with -9; it comes back, through the guard, after the failover`,
  targets: [kind],
  core: true,
  async strike({ cluster, random, note, later }) {
    const master = await cluster.master(kind);
    note(`kill ${master.host}:${master.port}`);
    later(() => master.restart());
    await master.kill();
    await sleep(random.integer(3_000, 5_000));
  },
});

export const logMasterKill = masterKill("log");
export const storeMasterKill = masterKill("store");
