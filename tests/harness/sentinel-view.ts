/** What Sentinels and data nodes say of a group, asked anew each time, never for longer than a bound. */

import { Redis } from "ioredis";
import { formatAddress } from "../../core/redis/sentinel-view.ts";
import type { Address } from "../../core/redis/url.ts";
import type { GroupsPlan } from "../../infra/local/redis-groups.ts";
import type { Reach, RedisKind } from "../../infra/local/redis-process.ts";

/** For those who look again and again: some of whom they ask may be frozen. */
const LOOK_TIMEOUT_MS = 500;
const ASK_TIMEOUT_MS = 10_000;

/** Whom to ask, and for how long where it is not 10 s. */
export interface Asked extends Reach {
  readonly patienceMs?: number;
}

/** One command on a connection of its own. Rejects when there is no answer in time, and with an error of Redis. */
export async function askRedis(asked: Asked, name: string, ...args: string[]): Promise<unknown> {
  const { host, port, username, password, patienceMs = ASK_TIMEOUT_MS } = asked;
  const redis = new Redis({
    host,
    port,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    protocol: 2,
    connectTimeout: patienceMs,
    commandTimeout: patienceMs,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

function askSentinel(sentinel: Reach, ...args: string[]): Promise<unknown> {
  return askRedis({ patienceMs: LOOK_TIMEOUT_MS, ...sentinel }, "SENTINEL", ...args);
}

/** The fields of a section of INFO. */
export async function readInfo(node: Asked, section: string): Promise<Map<string, string>> {
  const text = String(await askRedis(node, "INFO", section));
  return new Map(text.split("\r\n").map((line) => [line.split(":")[0] ?? "", line.slice(line.indexOf(":") + 1)]));
}

/** What this server has refused anybody since it was started. */
export async function refusals(node: Asked): Promise<string[]> {
  const entries = (await askRedis(node, "ACL", "LOG", "200")) as unknown[][];
  return entries.map((entry) => {
    const field = (name: string): string => String(entry[entry.indexOf(name) + 1]);
    return `${field("username")}: ${field("reason")} ${field("object")} (${field("context")})`;
  });
}

/** "host:port" that more than half of all Sentinels name at the highest epoch known; undefined when there is none. */
export async function agreedMaster(plan: GroupsPlan, kind: RedisKind): Promise<string | undefined> {
  const answers = await Promise.allSettled(plan.sentinels.map((one) => askSentinel(one, "MASTER", kind)));
  const views = answers.flatMap((answer) => (answer.status === "fulfilled" ? [fieldsOf(answer.value)] : []));
  const epoch = Math.max(...views.map((view) => Number(view["config-epoch"])));
  const named = views
    .filter((view) => Number(view["config-epoch"]) === epoch)
    .map((view) => formatAddress({ host: view.ip ?? "", port: Number(view.port) }));
  return named.find((master) => named.filter((one) => one === master).length > plan.sentinels.length / 2);
}

/** Is it a replica with an up link to this master? False also when it does not answer in time. */
export async function isReplicaOf(node: Asked, master: Address): Promise<boolean> {
  const info = await readInfo({ patienceMs: LOOK_TIMEOUT_MS, ...node }, "replication").catch(
    () => new Map<string, string>(),
  );
  const follows = formatAddress({ host: info.get("master_host") ?? "", port: Number(info.get("master_port")) });
  return info.get("role") === "slave" && info.get("master_link_status") === "up" && follows === formatAddress(master);
}

/** Does this Sentinel see the master, all replicas as promotable, and all its peers? */
export async function seesHealthy(
  sentinel: Reach,
  kind: RedisKind,
  master: Address,
  replicas: readonly Address[],
  plan: GroupsPlan,
): Promise<boolean> {
  const view = fieldsOf(await askSentinel(sentinel, "MASTER", kind));
  const seen = new Map(
    ((await askSentinel(sentinel, "REPLICAS", kind)) as unknown[])
      .map(fieldsOf)
      .map((one) => [`${one.ip}:${one.port}`, one]),
  );
  return (
    `${view.ip}:${view.port}` === formatAddress(master) &&
    view.flags === "master" &&
    view["role-reported"] === "master" &&
    Number(view["num-other-sentinels"]) === plan.sentinels.length - 1 &&
    replicas.every((replica) => {
      const one = seen.get(formatAddress(replica));
      return one?.flags === "slave" && Number(one["slave-priority"]) > 0 && one["master-link-status"] === "ok";
    })
  );
}

function fieldsOf(flat: unknown): Record<string, string> {
  const list = flat as string[];
  return Object.fromEntries(list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? ""]] : [])));
}
