import { setTimeout as sleep } from "node:timers/promises";
import type { Nemesis } from "../nemesis.ts";

export const apiKill: Nemesis = {
  name: "api-kill",
  does: "an API is killed with -9 with requests in flight; another is started later",
  targets: ["apis"],
  storeStays: true,
  async strike({ cluster, random, note, later }) {
    const victim = random.pick(cluster.apis);
    cluster.dismiss(victim);
    note(`kill api ${victim.pid}`);
    later(async () => void (await cluster.addApi()));
    await victim.kill();
    await sleep(random.integer(500, 1_500));
  },
};
