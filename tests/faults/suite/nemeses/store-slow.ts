import { setTimeout as sleep } from "node:timers/promises";
import { tell } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

/** A pause holds up what Sentinel publishes, and its pings behind that: longer ones would be taken for a fault. */
const PAUSE_MS = 600;
const BETWEEN_MS = 500;
const TIMES = 4;

export const storeSlow: Nemesis = {
  name: "store-slow",
  does: "the store answers reads and lets writes wait, again and again: what is read from the log is not applied at once",
  targets: ["store"],
  storeStays: true,
  async strike({ cluster, note }) {
    const master = await cluster.master("store");
    note(`pause writes on ${master.host}:${master.port}`);
    for (let time = 0; time < TIMES; time += 1) {
      await tell(master, "CLIENT", "PAUSE", PAUSE_MS, "WRITE");
      await sleep(PAUSE_MS + BETWEEN_MS);
    }
  },
};
