/**
 * Two real Sentinel groups for a test: log and store with their replicas, and the Sentinels that watch both. Started by
 * the scripts that a cluster uses, with every way of dying at hand.
 */

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatAddress } from "../../core/redis/sentinel-view.ts";
import type { Address } from "../../core/redis/url.ts";
import { type GroupsPlan, groupUrl, moveMaster } from "../../infra/local/redis-groups.ts";
import type { Reach, RedisKind } from "../../infra/local/redis-process.ts";
import { findTestPort } from "./ports.ts";
import { startRedisNode } from "./redis-node.ts";
import type { RedisUsers } from "./redis-users.ts";
import { cleanUpLater, testReaper } from "./running.ts";
import { startSentinelNode } from "./sentinel-node.ts";
import { agreedMaster, askRedis, isReplicaOf, seesHealthy } from "./sentinel-view.ts";
import { waitFor } from "./wait-for.ts";

export interface RedisGroupsOptions {
  /** Data nodes of each group. Default 3 (1 master, 2 replicas). */
  nodes?: number;
  /** Default 3. */
  sentinels?: number;
  /** Default 1000. */
  downAfterMs?: number;
  /**
   * Address of a data node; default 127.0.0.1 for all. With own addresses (127.0.1.1, 127.0.1.2 … for log, 127.0.2.x for
   * store, 127.0.3.x for the Sentinels) single links can be cut: each process then binds its outgoing connections to its
   * own address too (bind-source-addr).
   */
  hosts?: "shared" | "own";
  /** Users of least privilege instead of open doors. Default: open. */
  users?: RedisUsers;
  /** More redis-server settings for every data node of a kind, as on the command line. */
  args?: Partial<Record<RedisKind, readonly string[]>>;
  /** Environment for the data nodes' processes (LD_PRELOAD of a clock skew, …), by kind and index. */
  nodeEnv?: (kind: RedisKind, index: number) => NodeJS.ProcessEnv;
}

export interface RedisNode {
  readonly kind: RedisKind;
  readonly index: number;
  readonly host: string;
  readonly port: number;
  /** redis://host:port */
  readonly url: string;
  readonly dir: string;
  readonly pid: number;
  readonly running: boolean;
  /** SIGKILL of redis-server itself. */
  kill(): Promise<void>;
  /** SIGSTOP of redis-server itself. */
  pause(): void;
  resume(): void;
  /** SIGTERM; with a planned move first when it is the master (as a preStop hook does). */
  stop(): Promise<void>;
  /**
   * Starts again through the entrypoint guard, same port and folder. Resolves when it answers INFO (role known), which can
   * take several times downAfterMs.
   */
  restart(): Promise<void>;
  /** Kills it and starts it again WITHOUT the guard, as a plain master, at once (what the guard is there to prevent). */
  restartUnguarded(): Promise<void>;
  /** Kills it and empties its folder; does not start it. */
  wipe(): Promise<void>;
  logs(): readonly string[];
}

export interface SentinelNode {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly running: boolean;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  restart(): Promise<void>;
  logs(): readonly string[];
}

export interface RedisGroup {
  readonly kind: RedisKind;
  /** redis+sentinel://h:p,h:p,h:p/<kind> */
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  /** The node that a majority of the Sentinels names now. Retries until there is one. */
  master(): Promise<RedisNode>;
  /** Nodes whose INFO says role:slave with an up link to the present master. */
  replicas(): Promise<RedisNode[]>;
  /**
   * Waits until the master and all other nodes as replicas are in sync, promotable (priority > 0) and every running
   * Sentinel sees them so.
   */
  healthy(timeoutMs?: number): Promise<void>;
  /** Bare SENTINEL FAILOVER, sent to one Sentinel; resolves when a majority names another master. */
  failover(): Promise<RedisNode>;
  /** The planned move (pause, equal offsets, failover) by infra/redis' script. */
  plannedMove(): Promise<RedisNode>;
}

export interface RedisGroups {
  readonly log: RedisGroup;
  readonly store: RedisGroup;
  readonly sentinels: readonly SentinelNode[];
  group(kind: RedisKind): RedisGroup;
  stop(): Promise<void>;
}

const KINDS = ["log", "store"] as const;
const HEALTHY_TIMEOUT_MS = 45_000;
const MASTER_TIMEOUT_MS = 30_000;
/** One look must do, also on a loaded machine. */
const REPLICA_TIMEOUT_MS = 3_000;

/** Starts both groups and the Sentinels and resolves when both are healthy. All is ended with the test file, or by stop(). */
export async function startRedisGroups(options: RedisGroupsOptions = {}): Promise<RedisGroups> {
  const { nodes = 3, sentinels: sentinelCount = 3, hosts = "shared" } = options;
  const root = await mkdtemp(join(tmpdir(), "millrace-groups-"));
  testReaper().watchFolder(root);
  const { users } = options;
  const counts = { log: nodes, store: nodes, sentinel: sentinelCount };
  const addresses = await choosePlaces(hosts, counts, users && { username: "operator", password: users.operator });
  const plan: GroupsPlan = {
    nodes: { log: addresses.log, store: addresses.store },
    sentinels: addresses.sentinel,
    downAfterMs: options.downAfterMs ?? 1000,
    ...(users && { env: { REDIS_USERS: users.folder } }),
  };
  const folder = async (name: string): Promise<string> => {
    await mkdir(join(root, name));
    return join(root, name);
  };
  const source = ({ host }: Address): string[] => (hosts === "own" ? ["--bind-source-addr", host] : []);
  // A group of one has nobody who could hold a copy.
  const alone = nodes === 1 ? ["--min-replicas-to-write", "0"] : [];

  const sentinels: SentinelNode[] = [];
  const started: RedisNode[] = [];
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await Promise.all([...sentinels, ...started].map((one) => one.kill()));
    await rm(root, { recursive: true, force: true });
  };
  cleanUpLater(stop);

  sentinels.push(
    ...(await Promise.all(
      plan.sentinels.map(async (address, index) =>
        startSentinelNode(plan, address, await folder(`sentinel-${index}`), source(address)),
      ),
    )),
  );
  const startGroup = async (kind: RedisKind): Promise<RedisGroup> => {
    const start = async (index: number): Promise<RedisNode> => {
      const address = plan.nodes[kind][index] ?? missing(`${kind} node ${index}`);
      const node = await startRedisNode({
        place: { plan, kind, address },
        index,
        dir: await folder(`${kind}-${index}`),
        args: [...source(address), ...(kind === "log" ? alone : []), ...(options.args?.[kind] ?? [])],
        env: options.nodeEnv?.(kind, index) ?? {},
        isMaster: async () => agreedMaster(plan, kind).then((master) => master === formatAddress(address)),
      });
      started.push(node);
      return node;
    };
    // The first master first: a replica that does not reach it tries again only after a second.
    const first = await start(0);
    const others = await Promise.all(plan.nodes[kind].slice(1).map((_, index) => start(index + 1)));
    return describeGroup(plan, kind, [first, ...others], sentinels);
  };
  const [log, store] = await Promise.all(KINDS.map(startGroup));
  if (log === undefined || store === undefined) return missing("a group");
  await Promise.all([log.healthy(), store.healthy()]);
  return { log, store, sentinels, group: (kind) => (kind === "log" ? log : store), stop };
}

function describeGroup(
  plan: GroupsPlan,
  kind: RedisKind,
  nodes: readonly RedisNode[],
  sentinels: readonly SentinelNode[],
): RedisGroup {
  const masterNow = async (): Promise<RedisNode | undefined> => {
    const master = await agreedMaster(plan, kind);
    return nodes.find((node) => formatAddress(node) === master);
  };
  const other = (old: RedisNode): Promise<RedisNode> =>
    waitFor(async () => masterNow().then((master) => master !== old && master), {
      timeoutMs: MASTER_TIMEOUT_MS,
      what: `another master of ${kind} than ${formatAddress(old)}`,
    });
  const group: RedisGroup = {
    kind,
    url: groupUrl(plan, kind),
    nodes,
    master: () => waitFor(masterNow, { timeoutMs: MASTER_TIMEOUT_MS, what: `a majority for a master of ${kind}` }),
    replicas: async () => {
      const master = await group.master();
      const linked = await Promise.all(
        nodes.map((node) => isReplicaOf({ ...node, patienceMs: REPLICA_TIMEOUT_MS }, master)),
      );
      return nodes.filter((_, index) => linked[index]);
    },
    healthy: async (timeoutMs = HEALTHY_TIMEOUT_MS) => {
      await waitFor(
        async () => {
          const master = await masterNow();
          if (master === undefined) return false;
          const others = nodes.filter((node) => node !== master);
          const linked = await Promise.all(others.map((node) => isReplicaOf(node, master)));
          if (linked.includes(false)) return false;
          const running = sentinels.filter((sentinel) => sentinel.running);
          const views = await Promise.all(running.map((one) => seesHealthy(one, kind, master, others, plan)));
          return !views.includes(false);
        },
        { timeoutMs, intervalMs: 50, what: `the ${kind} group is healthy` },
      );
    },
    failover: async () => {
      const old = await group.master();
      const answers = [];
      for (const sentinel of sentinels.filter((one) => one.running)) {
        const answer = await askRedis(sentinel, "SENTINEL", "FAILOVER", kind).catch(String);
        if (answer === "OK") return other(old);
        answers.push(answer);
      }
      throw new Error(`no Sentinel starts a failover of ${kind}: ${answers.join(", ")}`);
    },
    plannedMove: async () => {
      const old = await group.master();
      const { moved, said } = await moveMaster({ plan, kind, address: old });
      if (!moved) throw new Error(said);
      return other(old);
    },
  };
  return group;
}

async function choosePlaces<Name extends string>(
  hosts: "shared" | "own",
  counts: Record<Name, number>,
  login: Omit<Reach, keyof Address> = {},
): Promise<Record<Name, Reach[]>> {
  const places = {} as Record<Name, Reach[]>;
  const names = Object.keys(counts) as Name[];
  for (const [network, name] of names.entries()) {
    places[name] = [];
    while (places[name].length < counts[name]) {
      const port = await findTestPort();
      const host = hosts === "own" ? `127.0.${network + 1}.${places[name].length + 1}` : "127.0.0.1";
      places[name].push({ host, port, ...login });
    }
  }
  return places;
}

function missing(what: string): never {
  throw new Error(`there is no ${what}`);
}
