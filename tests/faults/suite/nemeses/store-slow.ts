import { setTimeout as sleep } from "node:timers/promises";
import { tell } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

const LASTS_MS = 2_000;

export const storeSlow: Nemesis = {
  name: "store-slow",
  does: "the store answers reads, and lets writes wait for two seconds: what is read from the log is not applied for so long",
  targets: ["store"],
  storeStays: true,
  async strike({ cluster, note }) {
    const master = await cluster.master("store");
    note(`pause writes on ${master.host}:${master.port}`);
    await tell(master, "CLIENT", "PAUSE", LASTS_MS, "WRITE");
    await sleep(LASTS_MS + 500);
  },
};
