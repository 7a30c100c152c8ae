/**
 * One connection to a Redis group, the same to its callers for standalone, Sentinel and Cluster.
 *
 * It guarantees: calls made together leave in order on one connection; nothing is repeated behind the caller's back; a
 * call on a broken connection is rejected, soon; the connection comes back by itself for as long as it is not closed.
 */
import { Cluster, Redis } from "ioredis";
import { type ClientOptions, clientOptions, type Role, sentinelOptions } from "./options.ts";
import type { RedisUrl } from "./url.ts";

/** One Redis command. Replies are Buffers and numbers. */
export interface Call {
  readonly name: string;
  readonly args: readonly (string | Uint8Array | number)[];
}

/** One reply for each call: a value or the error Redis gave. */
export interface Replies {
  readonly replies: readonly unknown[];
  /** Replicas that hold everything these calls wrote or read. */
  readonly confirmed: number;
}

/** How many replicas must confirm, and how long to wait for them. */
export interface Confirmation {
  readonly replicas: number;
  readonly timeoutMs: number;
}

export const NO_CONFIRMATION: Confirmation = { replicas: 0, timeoutMs: 0 };

/** After this long without a connection an attempt is started anew, should the client ever have given up. */
const REVIVE_MS = 200;

export class Link {
  readonly client: Redis | Cluster;
  #closing = false;

  constructor(url: RedisUrl, role: Role, name: string) {
    this.client = createClient(url, role, name);
    this.client.on("end", () => {
      if (!this.#closing) setTimeout(() => this.#revive(), REVIVE_MS);
    });
  }

  /** Keys are spread over nodes: what is called together must share a slot. */
  get isCluster(): boolean {
    return this.client instanceof Cluster;
  }

  get ready(): boolean {
    return this.client.status === "ready";
  }

  /** Starts connecting; it is ready when `onReady` is called. Never rejects: attempts go on until {@link close}. */
  open(onReady: () => void, onFault: (error: Error) => void): void {
    this.client.on("ready", onReady);
    this.client.on("error", onFault);
    this.#revive();
  }

  /** One command with Buffer replies. Rejects with Redis' error, or when the connection breaks: outcome unknown. */
  call(call: Call): Promise<unknown> {
    return this.client.callBuffer(call.name, call.args as (string | Buffer | number)[]);
  }

  /**
   * Several commands in one write, then one WAIT. An error of Redis stands in its command's place.
   * Rejects when the connection broke before the last reply: the outcome of all of them is unknown.
   */
  async callTogether(calls: readonly Call[], confirmation: Confirmation = NO_CONFIRMATION): Promise<Replies> {
    const [only] = calls;
    if (only && calls.length === 1 && confirmation.replicas === 0) {
      return { replies: [await this.call(only).catch(redisError)], confirmed: 0 };
    }
    if (this.client instanceof Cluster) {
      // A pipeline must stay on one node, and a lone WAIT would go to a random one.
      if (confirmation.replicas > 0) throw new Error("confirmation by replicas is not supported on Redis Cluster");
      const replies = await Promise.all(calls.map((call) => this.call(call).catch(redisError)));
      return { replies, confirmed: 0 };
    }
    const pipeline = this.client.pipeline();
    for (const { name, args } of calls) pipeline.callBuffer(name, args as (string | Buffer | number)[]);
    if (confirmation.replicas > 0) pipeline.call("WAIT", confirmation.replicas, confirmation.timeoutMs);
    const results = (await pipeline.exec()) ?? [];
    const replies = results.map(([error, value]) => (error === null ? value : redisError(error)));
    if (confirmation.replicas === 0) return { replies, confirmed: 0 };
    const confirmed = replies.pop();
    if (confirmed instanceof Error) throw confirmed;
    return { replies, confirmed: Number(confirmed) };
  }

  /** A connection to each master, for what must be done on all of them. */
  masters(): readonly Redis[] {
    return this.client instanceof Cluster ? this.client.nodes("master") : [this.client];
  }

  /** Idempotent, and safe before {@link open}. What is outstanding is rejected. */
  close(): void {
    this.#closing = true;
    this.client.disconnect();
  }

  #revive(): void {
    if (this.#closing || (this.client.status !== "end" && this.client.status !== "wait")) return;
    // A failed attempt is told by the error event, and retried by the client itself.
    this.client.connect().catch(() => undefined);
  }
}

function createClient(url: RedisUrl, role: Role, name: string): Redis | Cluster {
  const options: ClientOptions = {
    ...clientOptions(role, name),
    ...(url.username !== undefined && { username: url.username }),
    ...(url.password !== undefined && { password: url.password }),
    ...(url.tls && { tls: {} }),
  };
  switch (url.kind) {
    case "standalone":
      return new Redis({ ...options, ...url.address, db: url.db });
    case "sentinel":
      return new Redis({
        ...options,
        ...sentinelOptions(),
        enableTLSForSentinelMode: url.tls,
        sentinels: [...url.sentinels],
        name: url.master,
      });
    case "cluster": {
      const { enableOfflineQueue, retryStrategy: _, ...redisOptions } = options;
      return new Cluster([...url.nodes], {
        lazyConnect: true,
        enableOfflineQueue: enableOfflineQueue ?? false,
        enableAutoPipelining: false,
        clusterRetryStrategy: (attempt) => Math.min(100 * attempt, 1000),
        // A moved slot is refreshed and followed, which is no repetition: the wrong node did nothing.
        slotsRefreshTimeout: 1000,
        redisOptions,
      });
    }
  }
}

/** Redis' own errors are answers; anything else means that the answer did not come. */
function redisError(error: unknown): Error {
  if (error instanceof Error && error.name === "ReplyError") return error;
  throw error;
}
