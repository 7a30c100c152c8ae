import { setTimeout as sleep } from "node:timers/promises";
import type { RedisKind } from "../../../../infra/local/redis-process.ts";
import { cut, sidesOf } from "../links.ts";
import type { Nemesis } from "../nemesis.ts";

const staleSentinel = (kind: RedisKind): Nemesis => ({
  name: `${kind}-stale-sentinel`,
  does: `the ${kind}'s master is cut off together with one Sentinel, which goes on naming it; clients reach both sides`,
  needs: ["network"],
  targets: [kind, "sentinels"],
  async strike(strike) {
    const { cluster, random } = strike;
    const { master, replicas } = await sidesOf(cluster, kind);
    const stale = random.pick(cluster.sentinels);
    const others = cluster.sentinels.filter((sentinel) => sentinel !== stale);
    await cut(strike, [master, stale], [...replicas, ...others]);
    await sleep(8_000);
  },
});

export const logStaleSentinel = staleSentinel("log");
export const storeStaleSentinel = staleSentinel("store");
