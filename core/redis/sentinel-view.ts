/**
 * What the Sentinels say of one Redis group, and what a majority of them agrees on. Pure.
 *
 * A single Sentinel may be wrong for long: one that is cut off with a deposed master goes on naming it. So nothing is
 * believed but what a majority of all Sentinels says at the highest epoch that any of them has seen.
 */
import type { Address } from "./url.ts";

export interface ReplicaView {
  readonly address: string;
  /** Sentinel may make it the master. */
  readonly promotable: boolean;
  /** It has what its master has, but for what is on the way. */
  readonly inSync: boolean;
}

/** One Sentinel's answer. */
export interface SentinelView {
  /** Host and port of the master, as `host:port`. */
  readonly master: string;
  /** Configuration epoch: each failover has a greater one. */
  readonly epoch: number;
  /** It sees no fault of the master and no failover. */
  readonly quiet: boolean;
  readonly downAfterMs: number;
  readonly replicas: readonly ReplicaView[];
}

/** What a majority says. */
export interface Agreement {
  readonly master: string;
  readonly epoch: number;
  /** None of all Sentinels that answered sees a fault of the master or a failover. */
  readonly quiet: boolean;
  readonly downAfterMs: number;
  /** Replicas that any of the agreeing Sentinels takes for promotable. */
  readonly promotable: number;
  /** Replicas that any of them knows, dead ones too. */
  readonly known: number;
  /** Replicas that all of them see in sync. */
  readonly inSync: readonly string[];
}

type Fields = ReadonlyMap<string, string>;

/** @param reply of `SENTINEL MASTER` and of `SENTINEL REPLICAS`: names and values in turn */
export function parseSentinelView(master: readonly unknown[], replicas: readonly (readonly unknown[])[]): SentinelView {
  const fields = toFields(master);
  const flags = flagsOf(fields);
  return {
    master: addressOf(fields),
    epoch: Number(fields.get("config-epoch")),
    quiet: !["s_down", "o_down", "disconnected", "failover_in_progress"].some((flag) => flags.has(flag)),
    downAfterMs: Number(fields.get("down-after-milliseconds")),
    replicas: replicas.map((reply) => toReplica(toFields(reply))),
  };
}

/**
 * @param views of the Sentinels that have answered just now
 * @param sentinels how many there are in all
 * @returns null while no majority agrees
 */
export function agree(views: readonly SentinelView[], sentinels: number): Agreement | null {
  const epoch = Math.max(...views.map((view) => view.epoch));
  const newest = views.filter((view) => view.epoch === epoch);
  const votes = new Map<string, SentinelView[]>();
  for (const view of newest) votes.set(view.master, [...(votes.get(view.master) ?? []), view]);
  for (const [master, agreeing] of votes) {
    if (agreeing.length * 2 <= sentinels) continue;
    const replicas = agreeing.flatMap((view) => view.replicas);
    const addresses = [...new Set(replicas.map(({ address }) => address))];
    const promotable = new Set(replicas.flatMap((replica) => (replica.promotable ? [replica.address] : [])));
    const lagging = new Set(replicas.flatMap((replica) => (replica.inSync ? [] : [replica.address])));
    return {
      master,
      epoch,
      quiet: views.every((view) => view.quiet),
      downAfterMs: Math.max(...agreeing.map((view) => view.downAfterMs)),
      promotable: promotable.size,
      known: addresses.length,
      inSync: addresses.filter((address) => !lagging.has(address)),
    };
  }
  return null;
}

export function formatAddress({ host, port }: Address): string {
  return `${host}:${port}`;
}

/** @param text as {@link formatAddress} makes it; an IPv6 address has colons too */
export function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

function toReplica(fields: Fields): ReplicaView {
  const flags = flagsOf(fields);
  const reachable = !["s_down", "o_down", "disconnected"].some((flag) => flags.has(flag));
  const isReplica = fields.get("role-reported") === "slave";
  // 0: it has never answered since the last failover. Sentinel promotes only whom it has heard lately.
  const heard = fields.get("info-refresh") !== "0";
  return {
    address: addressOf(fields),
    promotable: reachable && isReplica && heard && fields.get("slave-priority") !== "0",
    inSync: reachable && isReplica && fields.get("master-link-status") === "ok",
  };
}

function toFields(reply: readonly unknown[]): Fields {
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < reply.length; i += 2) fields.set(String(reply[i]), String(reply[i + 1]));
  return fields;
}

function flagsOf(fields: Fields): ReadonlySet<string> {
  return new Set((fields.get("flags") ?? "").split(","));
}

function addressOf(fields: Fields): string {
  return formatAddress({ host: fields.get("ip") ?? "", port: Number(fields.get("port")) });
}
