import type { Nemesis } from "../nemesis.ts";

export const logMasterBounce: Nemesis = {
  name: "log-master-bounce",
  does: "the log's master is killed with -9 and started again at once, through the guard",
  targets: ["log"],
  async strike({ cluster, note }) {
    const master = await cluster.master("log");
    note(`kill and restart ${master.host}:${master.port}`);
    await master.kill();
    await master.restart();
  },
};
