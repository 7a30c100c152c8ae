import { setTimeout as sleep } from "node:timers/promises";
import { tell } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

export const functionFlush: Nemesis = {
  name: "function-flush",
  does: "FUNCTION FLUSH on log and store, again and again",
  targets: ["log", "store"],
  storeStays: true,
  async strike({ cluster, note, random }) {
    note("FUNCTION FLUSH on both masters");
    for (let round = 0; round < 8; round += 1) {
      for (const kind of random.shuffled(["log", "store"] as const)) {
        await tell(await cluster.master(kind), "FUNCTION", "FLUSH");
        await sleep(random.integer(50, 300));
      }
    }
  },
};
