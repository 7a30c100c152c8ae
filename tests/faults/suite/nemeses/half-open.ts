import { setTimeout as sleep } from "node:timers/promises";
import { tell } from "../admin.ts";
import { cut } from "../links.ts";
import type { Nemesis } from "../nemesis.ts";

export const halfOpen: Nemesis = {
  name: "half-open",
  does: "log and store close all connections of APIs and consumers, who never hear of it: what they send goes nowhere",
  needs: ["network"],
  targets: ["log", "store"],
  storeStays: true,
  async strike(strike) {
    const masters = [await strike.cluster.master("log"), await strike.cluster.master("store")];
    await cut(strike, masters, "clients", "one");
    for (const master of masters) await tell(master, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    for (const master of masters) await tell(master, "CLIENT", "KILL", "TYPE", "pubsub");
    await sleep(4_000);
  },
};
