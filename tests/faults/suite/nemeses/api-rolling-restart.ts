import { setTimeout as sleep } from "node:timers/promises";
import type { Nemesis } from "../nemesis.ts";

export const apiRollingRestart: Nemesis = {
  name: "api-rolling-restart",
  does: "every API is replaced, one after the other: the new one first, then SIGTERM to the old one",
  targets: ["apis"],
  storeStays: true,
  async strike({ cluster, note }) {
    for (const old of cluster.apis) {
      const fresh = await cluster.addApi();
      cluster.dismiss(old);
      note(`api ${old.pid} is replaced by ${fresh.pid}`);
      const code = await old.stop();
      if (code !== 0) throw new Error(`an API that was told to stop ended with ${code}`);
      await sleep(300);
    }
  },
};
