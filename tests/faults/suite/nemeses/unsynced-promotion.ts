import { setTimeout as sleep } from "node:timers/promises";
import { tell } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

/**
 * How long the snapshot for the replica takes: longer than the strike, and not much. The process that makes it outlives its
 * master, and only when it has ended counts that as ended, and is started again.
 */
const SNAPSHOT_MS = 8_000;

export const storeUnsyncedPromotion: Nemesis = {
  name: "store-unsynced-promotion",
  does: "the store's master is killed while its only living replica is in the middle of its first sync: it must not be promoted",
  targets: ["store"],
  async strike({ cluster, note, later }) {
    const master = await cluster.master("store");
    const [empty, other] = await cluster.replicas("store");
    if (empty === undefined || other === undefined) throw new Error("the store needs two replicas");
    const keys = Math.max(1, Number(await tell(master, "DBSIZE")));
    await tell(master, "CONFIG", "SET", "rdb-key-save-delay", Math.ceil((SNAPSHOT_MS * 1000) / keys));
    await empty.wipe();
    note(`${empty.host}:${empty.port} syncs from nothing; kill its peer and the master`);
    // Both are waited for at the end: neither comes up before there is a master again.
    const syncing = empty.restart();
    syncing.catch(() => undefined);
    await sleep(1_500);
    await other.kill();
    await master.kill();
    await sleep(3_500);
    const back = Promise.all([master.restart(), other.restart()]);
    back.catch(() => undefined);
    later(async () => {
      await back;
      await syncing;
    });
  },
};
