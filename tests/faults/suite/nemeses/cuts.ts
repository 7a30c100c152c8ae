import { setTimeout as sleep } from "node:timers/promises";
import type { RedisKind } from "../../../../infra/local/redis-process.ts";
import { cut, sidesOf } from "../links.ts";
import type { Nemesis } from "../nemesis.ts";

const LASTS_MS = 5_000;

/** To the master and back, or only one of both: requests arrive and their answers do not. */
const clientsCut = (kind: RedisKind, ways: "both" | "one"): Nemesis => ({
  name: `${kind}-link-cut${ways === "one" ? "-one-way" : ""}`,
  does:
    ways === "both"
      ? `APIs and consumers cannot reach the ${kind}'s master; its replicas and Sentinels can`
      : `what the ${kind}'s master answers to APIs and consumers gets lost; what they send arrives`,
  needs: ["network"],
  targets: [kind],
  ...(kind === "log" && ways === "both" && { core: true }),
  async strike(strike) {
    const { master } = await sidesOf(strike.cluster, kind);
    await cut(strike, [master], "clients", ways);
    await sleep(LASTS_MS);
  },
});

export const logLinkCut = clientsCut("log", "both");
export const logLinkCutOneWay = clientsCut("log", "one");
export const storeLinkCut = clientsCut("store", "both");
export const storeLinkCutOneWay = clientsCut("store", "one");

/** The clients stay on the side of the old master, which believes that it still is: nobody but it hears them. */
const split = (kind: RedisKind): Nemesis => ({
  name: `${kind}-split`,
  does: `the ${kind}'s master is cut off from its replicas and all Sentinels; APIs and consumers reach both sides`,
  needs: ["network"],
  targets: [kind],
  async strike(strike) {
    const { master, replicas } = await sidesOf(strike.cluster, kind);
    await cut(strike, [master], [...replicas, ...strike.cluster.sentinels]);
    await sleep(LASTS_MS + 2_000);
  },
});

export const logSplit = split("log");
export const storeSplit = split("store");

const replicationOneWay = (kind: RedisKind): Nemesis => ({
  name: `${kind}-replication-one-way`,
  does: `what the ${kind}'s master sends to its replicas gets lost; what they send arrives`,
  needs: ["network"],
  targets: [kind],
  async strike(strike) {
    const { master, replicas } = await sidesOf(strike.cluster, kind);
    await cut(strike, [master], replicas, "one");
    await sleep(LASTS_MS);
  },
});

export const logReplicationOneWay = replicationOneWay("log");
export const storeReplicationOneWay = replicationOneWay("store");
