import { setTimeout as sleep } from "node:timers/promises";
import { partitionKeys } from "../../../../core/keys.ts";
import { partitionOf } from "../../../../core/partition.ts";
import { tell } from "../admin.ts";
import { PARTITIONS } from "../cluster.ts";
import type { Nemesis } from "../nemesis.ts";

const NAMESPACE = "poison";
const KEYS = 8;

export const poison: Nemesis = {
  name: "poison",
  does: "keys of the store hold what is no value of ours: commands on them raise an error in the middle of a batch",
  targets: ["store"],
  storeStays: true,
  async strike({ cluster, random, note, foreign, write }) {
    const master = await cluster.master("store");
    const round = random.integer(0, 1_000_000);
    const keys = Array.from({ length: KEYS }, (_, index) => `p${round}-${index}`);
    note(`lists at ${KEYS} keys`);
    for (const key of keys) {
      foreign.add(`${NAMESPACE}/${key}`);
      const names = partitionKeys(PARTITIONS)[partitionOf(NAMESPACE, key, PARTITIONS)];
      await tell(master, "RPUSH", names?.value(NAMESPACE, key) ?? "", "not", "ours");
    }
    for (let turn = 0; turn < 10; turn += 1) {
      await Promise.all(keys.map((key) => write(NAMESPACE, key)));
      await sleep(50);
    }
  },
};
