/**
 * A Redis group: the log's or the store's servers, seen as one. It knows where the master is and how many replicas must
 * confirm. One for each of the two in a process; all its connections share it.
 */
import type { Logger } from "pino";
import type { Service } from "../service.ts";
import type { Trust } from "./options.ts";
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
  /** Used where the URL asks for TLS. */
  readonly trust: Trust;
  quorum(): Quorum;
  /** The Sentinels' view; null without Sentinel. */
  readonly watch: SentinelWatch | null;
}

/** Without Sentinel nobody tells of replicas: K is 0. */
const ALONE: Quorum = { settled: true, master: null, replicas: 0 };

/**
 * @param name of this process, for the connections to the Sentinels
 * @param ca PEM of the authority that has signed the servers' certificates; left out: those that Node knows
 */
export function openGroup(url: RedisUrl, name: string, ca?: string): RedisGroup {
  const trust: Trust = ca === undefined ? {} : { ca };
  if (url.kind === "sentinel") {
    const watch = new SentinelWatch(url, name, trust);
    return {
      url,
      trust,
      watch,
      quorum: () => watch.quorum(),
      start: () => watch.start(),
      stop: () => watch.stop(),
    };
  }
  const nothing = async () => undefined;
  return { url, trust, watch: null, quorum: () => ALONE, start: nothing, stop: nothing };
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
