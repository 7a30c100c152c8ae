import { setTimeout as sleep } from "node:timers/promises";
import { COORDINATION } from "../../../../core/keys.ts";
import { openAdmin } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

const EVERY_MS = 40;
const LASTS_MS = 4_000;

export const twoOwners: Nemesis = {
  name: "two-owners",
  does: "what the consumers know of each other is deleted over and over: each believes to be alone and works all partitions",
  targets: ["consumers"],
  storeStays: true,
  async strike({ cluster, note, later }) {
    const admin = openAdmin(await cluster.master("log"));
    later(() => admin.disconnect());
    note("delete sessions and owners");
    const untilMs = performance.now() + LASTS_MS;
    while (performance.now() < untilMs) {
      // A round that comes next takes everything; those who hear of it look at once.
      await admin.del(COORDINATION.sessions, COORDINATION.owners).catch(() => 0);
      await admin.publish(COORDINATION.changed, "nobody").catch(() => 0);
      await sleep(EVERY_MS);
    }
  },
};
