/** What is tested: two Sentinel groups, APIs and consumers, all of them real processes of this machine. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../../../core/redis/url.ts";
import type { RedisKind } from "../../../infra/local/redis-process.ts";
import { watchPartitions } from "../../harness/partitions.ts";
import {
  type ApiProcess,
  type ConsumerProcess,
  type ServiceProcess,
  startApi,
  startConsumer,
} from "../../harness/process.ts";
import { type RedisGroups, type RedisNode, startRedisGroups } from "../../harness/redis-groups.ts";
import type { SkewedClocks } from "./clocks.ts";
import { isInside } from "./namespace.ts";

export const PARTITIONS = 4;
export const LEASE_MS = 1_500;
/** A process that is started while another fault has taken a master away is ready only when there is one again. */
const READY_MAX_MS = 60_000;
const APIS = 2;
const CONSUMERS = 2;
/** Where the APIs, the consumers and the test's clients connect from. */
export const CLIENTS_ADDRESS = "127.0.0.1";

const ENVIRONMENT = {
  MILLRACE_PARTITIONS: String(PARTITIONS),
  MILLRACE_LEASE_MS: String(LEASE_MS),
  // The whole log is read at the end.
  MILLRACE_LOG_RETENTION_S: "86400",
  MILLRACE_LOG_LEVEL: "info",
} as const;

export class Cluster {
  readonly groups: RedisGroups;
  readonly clocks: SkewedClocks | null;
  readonly #apis = new Set<ApiProcess>();
  readonly #consumers = new Set<ConsumerProcess>();
  /** Every process of ours there ever was, with its name, for the evidence. */
  readonly everStarted: { readonly name: string; readonly process: ServiceProcess }[] = [];

  constructor(groups: RedisGroups, clocks: SkewedClocks | null) {
    this.groups = groups;
    this.clocks = clocks;
  }

  /** Those that ought to run. */
  get apis(): readonly ApiProcess[] {
    return [...this.#apis];
  }

  get consumers(): readonly ConsumerProcess[] {
    return [...this.#consumers];
  }

  get sentinels(): RedisGroups["sentinels"] {
    return this.groups.sentinels;
  }

  /** Where requests go to: an API that has ended gets none. */
  urls(): string[] {
    return this.apis.filter(({ running }) => running).map(({ url }) => url);
  }

  async addApi(): Promise<ApiProcess> {
    const api = await startApi(this.#options());
    await api.waitReady(READY_MAX_MS);
    this.#apis.add(api);
    this.everStarted.push({ name: `api-${api.pid}`, process: api });
    return api;
  }

  async addConsumer(): Promise<ConsumerProcess> {
    const consumer = await startConsumer(this.#options());
    await consumer.waitReady(READY_MAX_MS);
    this.#consumers.add(consumer);
    this.everStarted.push({ name: `consumer-${consumer.pid}`, process: consumer });
    return consumer;
  }

  /** From now on nobody expects it to run. */
  dismiss(process: ServiceProcess): void {
    this.#apis.delete(process as ApiProcess);
    this.#consumers.delete(process);
  }

  /** Processes that ended although nobody ended them. */
  died(): string[] {
    const expected = new Set<ServiceProcess>([...this.#apis, ...this.#consumers]);
    return this.everStarted.filter(({ process }) => expected.has(process) && !process.running).map(({ name }) => name);
  }

  master(kind: RedisKind): Promise<RedisNode> {
    return this.groups.group(kind).master();
  }

  /** The nodes of a group that are not its master now. */
  async replicas(kind: RedisKind): Promise<RedisNode[]> {
    const master = await this.master(kind);
    return this.groups.group(kind).nodes.filter((node) => node !== master);
  }

  /** All addresses but the clients': data nodes and Sentinels. */
  addresses(): Address[] {
    return [...this.groups.log.nodes, ...this.groups.store.nodes, ...this.sentinels];
  }

  /** Resolves when everything accepted is applied and no partition says that something is wrong. */
  async drained(timeoutMs: number): Promise<void> {
    const [url] = this.urls();
    if (url === undefined) throw new Error("no API runs");
    const all = await watchPartitions(url).drained({ timeoutMs: Math.max(timeoutMs, 1_000) });
    const bad = all.filter(({ state }) => state !== "ok");
    if (bad.length > 0) await sleep(Math.min(timeoutMs, 2_000));
    const still = bad.length > 0 ? (await watchPartitions(url).view()).filter(({ state }) => state !== "ok") : [];
    if (still.length > 0) throw new Error(`not ok: ${JSON.stringify(still)}`);
  }

  async healthy(timeoutMs: number): Promise<void> {
    await Promise.all([this.groups.log.healthy(timeoutMs), this.groups.store.healthy(timeoutMs)]);
    await Promise.all([...this.apis, ...this.consumers].map((process) => process.waitReady(timeoutMs)));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.apis, ...this.consumers].map((process) => process.kill()));
    await this.groups.stop();
  }

  #options(): Parameters<typeof startApi>[0] {
    return { log: this.groups.log, store: this.groups.store, env: { ...ENVIRONMENT }, waitReady: false };
  }
}

export async function startCluster(clocks: SkewedClocks | null): Promise<Cluster> {
  const groups = await startRedisGroups({
    hosts: isInside() ? "own" : "shared",
    nodeEnv: (kind, index) => (kind === "log" ? (clocks?.environment(index) ?? {}) : {}),
  });
  const cluster = new Cluster(groups, clocks);
  await Promise.all([
    ...Array.from({ length: APIS }, () => cluster.addApi()),
    ...Array.from({ length: CONSUMERS }, () => cluster.addConsumer()),
  ]);
  return cluster;
}
