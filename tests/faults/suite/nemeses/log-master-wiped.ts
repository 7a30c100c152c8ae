import type { Nemesis } from "../nemesis.ts";

export const logMasterWiped: Nemesis = {
  name: "log-master-wiped",
  does: "the log's master loses its disk and is back, empty, before the Sentinels have noticed: only the guard stands between",
  targets: ["log"],
  async strike({ cluster, note }) {
    const master = await cluster.master("log");
    note(`wipe and restart ${master.host}:${master.port}`);
    await master.wipe();
    await master.restart();
  },
};
