import { setTimeout as sleep } from "node:timers/promises";
import type { Nemesis } from "../nemesis.ts";

const BEHIND_MS = 8_000;

export const logSlowClock: Nemesis = {
  name: "log-slow-clock",
  does: "the log's master is killed, and whoever takes over has a clock that is 8 s behind",
  needs: ["compiler"],
  targets: ["log"],
  async strike({ cluster, note, later }) {
    const { clocks } = cluster;
    if (clocks === null) throw new Error("no clocks to skew");
    const master = await cluster.master("log");
    for (const replica of await cluster.replicas("log")) {
      later(() => clocks.set(replica.index, 0));
      await clocks.set(replica.index, -BEHIND_MS);
    }
    note(`the replicas' clocks are ${BEHIND_MS} ms behind; kill ${master.host}:${master.port}`);
    later(() => master.restart());
    await master.kill();
    await sleep(5_000);
  },
};
