import { setTimeout as sleep } from "node:timers/promises";
import type { RedisKind } from "../../../../infra/local/redis-process.ts";
import { tell } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

const outOfMemory = (kind: RedisKind): Nemesis => ({
  name: `${kind}-out-of-memory`,
  does: `the ${kind} is at its maxmemory and evicts nothing: it refuses writes`,
  // A log that fills up gives up what is applied: a store that loses all its data just then could not be rebuilt.
  targets: kind === "log" ? ["log", "store"] : [kind],
  ...(kind === "log" && { trimsLog: true }),
  async strike({ cluster, note, later }) {
    const { nodes } = cluster.groups.group(kind);
    note(`maxmemory of all nodes of ${kind} is 1mb`);
    for (const node of nodes) {
      later(async () => void (await tell(node, "CONFIG", "SET", "maxmemory", "0")));
      await tell(node, "CONFIG", "SET", "maxmemory", "1mb");
    }
    await sleep(4_000);
  },
  ...(kind === "store" && { storeStays: true }),
});

export const logOutOfMemory = outOfMemory("log");
export const storeOutOfMemory = outOfMemory("store");
