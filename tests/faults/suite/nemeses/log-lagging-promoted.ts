import { setTimeout as sleep } from "node:timers/promises";
import { tell } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";
import { prefer } from "./prefer.ts";

/** Shorter than what a Sentinel takes for down. */
const LAG_MS = 600;
const ELECTION_MS = 3_500;

/** One replica has it all, and the Sentinels take the other one: what counts as confirmed must be held by both. */
export const logLaggingPromoted: Nemesis = {
  name: "log-lagging-promoted",
  does: "one of the log's two replicas lags behind, the master is killed, and it is the lagging one that is promoted",
  targets: ["log"],
  async strike({ cluster, note, later }) {
    const master = await cluster.master("log");
    const [lagging, other] = await cluster.replicas("log");
    if (lagging === undefined || other === undefined) throw new Error("the log needs two replicas");
    later(() => master.restart());
    note(`${lagging.host}:${lagging.port} lags`);
    lagging.pause();
    try {
      // A stopped one cannot connect again, the other does so at once.
      await tell(master, "CLIENT", "KILL", "TYPE", "replica");
      await sleep(LAG_MS);
      note(`kill ${master.host}:${master.port}`);
      await master.kill();
    } finally {
      lagging.resume();
    }
    const preference = prefer(lagging);
    await sleep(ELECTION_MS);
    await preference.stop();
    note(`the master is now ${(await cluster.master("log")).port}`);
  },
};
