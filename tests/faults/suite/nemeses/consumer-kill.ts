import { setTimeout as sleep } from "node:timers/promises";
import { LEASE_MS } from "../cluster.ts";
import type { Nemesis } from "../nemesis.ts";

export const consumerKill: Nemesis = {
  name: "consumer-kill",
  does: "a consumer is killed with -9; another is started later",
  targets: ["consumers"],
  storeStays: true,
  core: true,
  async strike({ cluster, random, note, later }) {
    const victim = random.pick(cluster.consumers);
    cluster.dismiss(victim);
    note(`kill consumer ${victim.pid}`);
    later(async () => void (await cluster.addConsumer()));
    await victim.kill();
    await sleep(LEASE_MS + random.integer(200, 1_500));
  },
};
