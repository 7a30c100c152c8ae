import { setTimeout as sleep } from "node:timers/promises";
import { tell } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

export const storeFlushed: Nemesis = {
  name: "store-flushed",
  does: "FLUSHALL on the store's master, an operator's mistake: no connection breaks, and the next batch meets an empty store",
  targets: ["store"],
  async strike({ cluster, note }) {
    note("FLUSHALL");
    await tell(await cluster.master("store"), "FLUSHALL");
    await sleep(1_500);
  },
};
