import { setTimeout as sleep } from "node:timers/promises";
import { tell } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

const TIMES = 30;

export const logConnectionsKilled: Nemesis = {
  name: "log-connections-killed",
  does: "the log closes all connections of APIs and consumers, again and again: groups are appended and their replies are lost",
  targets: ["log"],
  storeStays: true,
  async strike({ cluster, random, note }) {
    const master = await cluster.master("log");
    note(`kill connections to ${master.host}:${master.port}`);
    for (let time = 0; time < TIMES; time += 1) {
      await tell(master, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await sleep(random.integer(100, 250));
    }
  },
};
