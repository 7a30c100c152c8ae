/**
 * A Redis group: the log's or the store's servers, seen as one. It knows where the master is and how many replicas must
 * confirm. One for each of the two in a process; all its connections share it.
 */
import type { Logger } from "pino";
import type { Service } from "../service.ts";
import { METRICS } from "../telemetry.ts";
import { SentinelWatch } from "./sentinel-watch.ts";
import type { RedisUrl } from "./url.ts";

/** What can be believed of a group at this moment. */
export type Quorum =
  | {
      readonly settled: true;
      /** `host:port` of the master; null where it is not known because nobody needs to (standalone, Cluster). */
      readonly master: string | null;
      /** K: replicas that must hold what counts as confirmed. 0: the group has none, as far as we are told. */
      readonly replicas: number;
    }
  /** Nothing can be confirmed now. */
  | { readonly settled: false; readonly reason: string };

export interface RedisGroup extends Service {
  readonly url: RedisUrl;
  quorum(): Quorum;
  /** The Sentinels' view; null without Sentinel. */
  readonly watch: SentinelWatch | null;
}

/** Without Sentinel nobody tells of replicas: K is 0. */
const ALONE: Quorum = { settled: true, master: null, replicas: 0 };

/** @param name of this process, for the connections to the Sentinels */
export function openGroup(url: RedisUrl, name: string): RedisGroup {
  if (url.kind === "sentinel") {
    const watch = new SentinelWatch(url, name);
    return {
      url,
      watch,
      quorum: () => watch.quorum(),
      start: () => watch.start(),
      stop: () => watch.stop(),
    };
  }
  return { url, watch: null, quorum: () => ALONE, start: async () => undefined, stop: async () => undefined };
}

/** Logs what the Sentinels agree on, at each change. */
export function tellChanges({ watch }: RedisGroup, redis: "log" | "store", logger: Logger): void {
  watch?.onChange(() => {
    const { master, epoch, confirmReplicas, replicasInSync, heard } = watch;
    const line = { redis, master, epoch, confirmReplicas, replicasInSync, heard };
    const quorum = watch.quorum();
    if (quorum.settled) logger.info(line, "the Sentinels agree");
    else logger.warn(line, `nothing can be confirmed: ${quorum.reason}`);
  });
}

/** In Prometheus' text format: K, the epoch, and whether anything can be confirmed now. */
export function renderGroupMetrics(groups: Readonly<Record<"log" | "store", RedisGroup>>): string[] {
  return Object.entries(groups).flatMap(([redis, group]) => {
    const quorum = group.quorum();
    const settled = `${METRICS.redisSettled.name}{redis="${redis}"} ${quorum.settled ? 1 : 0}`;
    if (group.watch === null) return [settled];
    return [
      settled,
      `${METRICS.redisConfirmReplicas.name}{redis="${redis}"} ${group.watch.confirmReplicas ?? "NaN"}`,
      `${METRICS.redisEpoch.name}{redis="${redis}"} ${group.watch.epoch}`,
    ];
  });
}
