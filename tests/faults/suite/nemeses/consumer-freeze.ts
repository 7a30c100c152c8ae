import { setTimeout as sleep } from "node:timers/promises";
import { LEASE_MS } from "../cluster.ts";
import type { Nemesis } from "../nemesis.ts";

export const consumerFreeze: Nemesis = {
  name: "consumer-freeze",
  does: "a consumer is stopped (SIGSTOP) past its lease and wakes up while another works its partitions",
  targets: ["consumers"],
  storeStays: true,
  core: true,
  async strike({ cluster, random, note, later }) {
    const victim = random.pick(cluster.consumers);
    note(`freeze consumer ${victim.pid}`);
    later(() => victim.resume());
    victim.pause();
    await sleep(LEASE_MS + random.integer(500, 2_000));
  },
};
