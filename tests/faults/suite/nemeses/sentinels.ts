import { setTimeout as sleep } from "node:timers/promises";
import type { Nemesis } from "../nemesis.ts";

export const sentinelMajorityDown: Nemesis = {
  name: "sentinel-majority-down",
  does: "two of three Sentinels are killed: nobody can fail over, and nobody can be sure who the master is",
  // Some faults of log and store are failovers: there are none now.
  targets: ["sentinels", "log", "store"],
  storeStays: true,
  async strike({ cluster, random, note, later }) {
    for (const sentinel of random.shuffled(cluster.sentinels).slice(0, 2)) {
      note(`kill Sentinel ${sentinel.port}`);
      later(() => sentinel.restart());
      await sentinel.kill();
    }
    await sleep(5_000);
  },
};

export const sentinelFrozen: Nemesis = {
  name: "sentinel-frozen",
  does: "one Sentinel is stopped (SIGSTOP) and never answers, while the store's master is killed",
  targets: ["sentinels", "store"],
  async strike({ cluster, random, note, later }) {
    const sentinel = random.pick(cluster.sentinels);
    const master = await cluster.master("store");
    note(`freeze Sentinel ${sentinel.port}, kill ${master.host}:${master.port}`);
    later(() => master.restart());
    later(() => sentinel.resume());
    sentinel.pause();
    await master.kill();
    await sleep(5_000);
  },
};
