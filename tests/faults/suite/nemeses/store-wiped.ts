import { setTimeout as sleep } from "node:timers/promises";
import type { Nemesis } from "../nemesis.ts";

export const storeWiped: Nemesis = {
  name: "store-wiped",
  does: "all nodes of the store lose their disks at once: it is rebuilt from the log",
  targets: ["store"],
  async strike({ cluster, note, later }) {
    const { nodes } = cluster.groups.store;
    note("wipe the whole store");
    await Promise.all(nodes.map((node) => node.wipe()));
    later(async () => void (await Promise.all(nodes.map((node) => node.restart()))));
    await sleep(1_000);
  },
};
