import { setTimeout as sleep } from "node:timers/promises";
import type { RedisKind } from "../../../../infra/local/redis-process.ts";
import type { Nemesis } from "../nemesis.ts";

const masterFreeze = (kind: RedisKind): Nemesis => ({
  name: `${kind}-master-freeze`,
  does: `the ${kind}'s master is stopped (SIGSTOP) until another is the master, and wakes up believing that it still is`,
  targets: [kind],
  core: true,
  async strike({ cluster, random, note, later }) {
    const master = await cluster.master(kind);
    note(`freeze ${master.host}:${master.port}`);
    later(() => master.resume());
    master.pause();
    await sleep(random.integer(3_500, 5_000));
  },
});

export const logMasterFreeze = masterFreeze("log");
export const storeMasterFreeze = masterFreeze("store");
