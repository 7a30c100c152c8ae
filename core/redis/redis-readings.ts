/**
 * What the metrics pages tell of log and store, and of the way to them.
 */
import type { Readings, Series } from "../metrics-page.ts";
import type { RedisGroup } from "./group.ts";
import type { Link } from "./link.ts";
import type { SentinelWatch } from "./sentinel-watch.ts";

/** A group, and this process' connection for commands to it. */
export interface Reached {
  readonly group: Pick<RedisGroup, "quorum" | "watch">;
  readonly link: Pick<Link, "ready" | "connections">;
}

type Name =
  | "redisConnected"
  | "redisReconnects"
  | "redisSettled"
  | "redisFailovers"
  | "redisTopologyChanges"
  | "redisConfirmReplicas"
  | "redisReplicasInSync"
  | "redisEpoch";

export function redisReadings(both: Readonly<Record<"log" | "store", Reached>>): Readings<Name> {
  const all = Object.entries(both);
  const each = (figure: (reached: Reached) => number) => (): Series<"redis"> =>
    all.map(([redis, reached]) => [{ redis }, figure(reached)] as const);
  // Nobody but the Sentinels tells of the others.
  const watched = (figure: (watch: SentinelWatch) => number | null) => (): Series<"redis"> =>
    all.flatMap(([redis, { group }]) => {
      const value = group.watch && figure(group.watch);
      return value === null ? [] : [[{ redis }, value] as const];
    });
  return {
    redisConnected: each(({ link }) => (link.ready ? 1 : 0)),
    redisReconnects: each(({ link }) => Math.max(0, link.connections - 1)),
    redisSettled: each(({ group }) => (group.quorum().settled ? 1 : 0)),
    redisFailovers: watched(({ failovers }) => failovers),
    redisTopologyChanges: watched(({ changes }) => changes),
    redisConfirmReplicas: watched(({ confirmReplicas }) => confirmReplicas),
    redisReplicasInSync: watched(({ replicasInSync }) => replicasInSync.length),
    redisEpoch: watched(({ epoch }) => epoch),
  };
}
