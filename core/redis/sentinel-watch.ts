/**
 * Watches one Redis group through all of its Sentinels: who is master, and how many replicas must confirm (rule R3).
 *
 * Every Sentinel is asked four times a second, each on its own connection, so a frozen or dead one delays nobody. What
 * a majority agreed on is believed for a second: a process that was itself frozen, or cut off, confirms nothing after
 * that until it has asked again. The last agreed master stays known for new connections; only confirmations need more.
 *
 * A Sentinel that wants to know who asks is told the same user and password as the data nodes; others are not.
 */
import { Redis } from "ioredis";
import type { Service } from "../service.ts";
import type { Quorum } from "./group.ts";
import { clientOptions, type Trust } from "./options.ts";
import { ReplicaCount } from "./replica-count.ts";
import { type Agreement, agree, parseSentinelView, type SentinelView } from "./sentinel-view.ts";
import type { RedisUrl } from "./url.ts";

const POLL_MS = 250;
/** What was said longer ago is not believed. */
const BELIEVED_MS = 1000;
/**
 * A majority at a lower epoch than one that was seen is not believed: the Sentinel that led a failover may have been
 * frozen before it told the others. After this long it is: the Sentinels have lost their state and were made anew.
 */
const EPOCH_LOST_MS = 30_000;

/** Without agreement for so long, it is told. */
const UNSETTLED_TELL_MS = 3000;

type SentinelUrl = Extract<RedisUrl, { kind: "sentinel" }>;

interface Peer {
  readonly client: Redis;
  asking: boolean;
  view: SentinelView | null;
  /** When it was asked for that view: its answer is at least as new. */
  viewMs: number;
}

export class SentinelWatch implements Service {
  readonly #name: string;
  readonly #login: readonly string[];
  readonly #peers: readonly Peer[];
  readonly #count = new ReplicaCount();
  readonly #listeners = new Set<() => void>();
  #agreement: Agreement | null = null;
  #agreedMs = Number.NEGATIVE_INFINITY;
  /** The highest that any Sentinel has named, and when it was last named. */
  #highestEpoch = 0;
  #highestMs = Number.NEGATIVE_INFINITY;
  /** The last one agreed on, whether it is agreed on now or not. */
  #master: string | null = null;
  #failovers = 0;
  #changes = 0;
  #told = "";
  #settledMs = performance.now();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(url: SentinelUrl, name: string, trust: Trust) {
    this.#name = url.master;
    this.#login = [url.username, url.password].filter((part) => part !== undefined);
    this.#peers = url.sentinels.map((address) => {
      const tls = url.tls && { tls: { ...trust } };
      const client = new Redis({ ...clientOptions("sentinel", name), ...address, ...tls });
      // Its silence is what counts; and a client without a listener would print to the console.
      client.on("error", () => undefined);
      return { client, asking: false, view: null, viewMs: 0 };
    });
  }

  /** `host:port` of the last master a majority named; null before there was one. */
  get master(): string | null {
    return this.#master;
  }

  /** Replicas that all agreeing Sentinels see in sync with the master. */
  get replicasInSync(): readonly string[] {
    return this.#agreement?.inSync ?? [];
  }

  /** The epoch of the last agreement; 0 before there was one. */
  get epoch(): number {
    return this.#agreement?.epoch ?? 0;
  }

  /** K, or null before anything was agreed. */
  get confirmReplicas(): number | null {
    return this.#count.count;
  }

  /** Times another master than before was agreed on. */
  get failovers(): number {
    return this.#failovers;
  }

  /** Times that {@link onChange} called back. */
  get changes(): number {
    return this.#changes;
  }

  /** Sentinels that have told what they see within the last second. */
  get heard(): number {
    return this.#fresh().length;
  }

  quorum(): Quorum {
    const replicas = this.#count.count;
    if (this.#agreement === null || replicas === null || performance.now() - this.#agreedMs > BELIEVED_MS) {
      return { settled: false, reason: "no majority of the Sentinels agrees on the master" };
    }
    return { settled: true, master: this.#agreement.master, replicas };
  }

  /** Calls back after each change of master, epoch, K or the replicas in sync, and when there has been no majority for a while. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async start(): Promise<void> {
    if (this.#timer || this.#stopped) return;
    for (const { client } of this.#peers) {
      client.on("ready", () => this.#askAll());
      client.connect().catch(() => undefined);
    }
    this.#timer = setInterval(() => this.#askAll(), POLL_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
    this.#listeners.clear();
    for (const { client } of this.#peers) client.disconnect();
  }

  #askAll(): void {
    for (const peer of this.#peers) {
      if (peer.client.status === "end") peer.client.connect().catch(() => undefined);
      if (!peer.asking && peer.client.status === "ready") void this.#ask(peer);
    }
    // Silence changes the verdict as well.
    this.#judge();
  }

  async #ask(peer: Peer): Promise<void> {
    peer.asking = true;
    const askedMs = performance.now();
    try {
      const [master, replicas] = await Promise.all([
        peer.client.call("SENTINEL", "MASTER", this.#name),
        peer.client.call("SENTINEL", "REPLICAS", this.#name),
      ]);
      peer.view = parseSentinelView(master as unknown[], replicas as unknown[][]);
      peer.viewMs = askedMs;
    } catch (error) {
      // Not reachable, frozen, or it does not know this master (yet): then it says nothing.
      peer.view = null;
      if (error instanceof Error && error.message.startsWith("NOAUTH")) await this.#introduce(peer.client);
    }
    peer.asking = false;
    if (!this.#stopped) this.#judge();
  }

  /** Asked again with the next look. */
  async #introduce(client: Redis): Promise<void> {
    if (this.#login.length > 0) await client.call("AUTH", ...this.#login).catch(() => undefined);
  }

  #fresh(): readonly Peer[] {
    const sinceMs = performance.now() - BELIEVED_MS;
    return this.#peers.filter(({ view, viewMs }) => view !== null && viewMs >= sinceMs);
  }

  #judge(): void {
    const nowMs = performance.now();
    const fresh = this.#fresh();
    const views = fresh.flatMap(({ view }) => view ?? []);
    const epoch = Math.max(0, ...views.map((view) => view.epoch));
    if (epoch >= this.#highestEpoch || nowMs - this.#highestMs > EPOCH_LOST_MS) {
      this.#highestEpoch = epoch;
      this.#highestMs = nowMs;
    }
    const agreement = epoch < this.#highestEpoch ? null : agree(views, this.#peers.length);
    this.#count.observe(agreement, nowMs);
    if (agreement !== null) {
      this.#agreement = agreement;
      if (this.#master !== null && this.#master !== agreement.master) this.#failovers += 1;
      this.#master = agreement.master;
      // The agreement is as old as the oldest answer that a majority needs.
      const { master } = agreement;
      const agreeing = fresh.filter(({ view }) => view?.master === master && view.epoch === epoch);
      const newestFirst = agreeing.map(({ viewMs }) => viewMs).toSorted((a, b) => b - a);
      this.#agreedMs = newestFirst[Math.floor(this.#peers.length / 2)] ?? Number.NEGATIVE_INFINITY;
    }
    this.#tell(nowMs);
  }

  #tell(nowMs: number): void {
    const settled = this.quorum().settled;
    if (settled) this.#settledMs = nowMs;
    // A moment without agreement belongs to every failover.
    else if (nowMs - this.#settledMs < UNSETTLED_TELL_MS) return;
    const told = settled
      ? `${this.#master} ${this.epoch} ${this.#count.count} ${this.replicasInSync.join()}`
      : "no majority";
    if (told === this.#told) return;
    this.#told = told;
    this.#changes += 1;
    for (const listener of this.#listeners) listener();
  }
}
