/**
 * One connection to a Redis group, the same to its callers for standalone, Sentinel and Cluster.
 *
 * It guarantees: calls made together leave in order on one connection; nothing is repeated behind the caller's back; a
 * call on a broken connection is rejected, soon; the connection comes back by itself for as long as it is not closed.
 */
import { Cluster, Redis } from "ioredis";
import { OperatingError } from "../errors.ts";
import type { Grade } from "../grade.ts";
import type { Quorum, RedisGroup } from "./group.ts";
import { connectorFor, type Seat } from "./group-connector.ts";
import { type ClientOptions, clientOptions, type Role } from "./options.ts";
import type { RedisUrl } from "./url.ts";

/** One Redis command. Replies are Buffers and numbers. */
export interface Call {
  readonly name: string;
  readonly args: readonly (string | Uint8Array | number)[];
}

/** One reply for each call: a value or the error Redis gave. */
export interface Replies {
  readonly replies: readonly unknown[];
  /** Why these calls are not confirmed, in a few words; null when they are, or when nothing was asked for. */
  readonly unconfirmed: string | null;
}

/** How long replicas and disk may take. Shorter than any socket timeout: an answer that is late is still an answer. */
export const CONFIRM_TIMEOUT_MS = 500;

/** How a server says that its disk holds a write. */
export type DiskSync = "waitaof" | "always" | "none";

/** After this long without a connection an attempt is started anew, should the client ever have given up. */
const REVIVE_MS = 200;

export class Link {
  readonly client: Redis | Cluster;
  readonly #group: RedisGroup;
  readonly #seat: Seat = { address: null };
  #diskSync: DiskSync | null = null;
  #closing = false;
  #connections = 0;

  constructor(group: RedisGroup, role: Role, name: string) {
    this.#group = group;
    this.client = createClient(group, role, name, this.#seat);
    this.client.on("ready", () => {
      this.#connections += 1;
    });
    // A cluster stays ready while one of its masters goes and comes back.
    this.client.on("+node", () => {
      this.#connections += 1;
    });
    this.client.on("end", () => {
      if (!this.#closing) setTimeout(() => this.#revive(), REVIVE_MS);
    });
    this.client.on("close", () => {
      this.#diskSync = null;
    });
  }

  /** Keys are spread over nodes: what is called together must share a slot. */
  get isCluster(): boolean {
    return this.client instanceof Cluster;
  }

  get url(): RedisUrl {
    return this.#group.url;
  }

  /** How often it has become ready: after each time it may be another Redis. */
  get connections(): number {
    return this.#connections;
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
   * Several commands in one write, then one WAIT for all of them where more than `memory` is asked for. An error of Redis
   * stands in its command's place.
   * Rejects when the connection broke before the last reply: the outcome of all of them is unknown. On a cluster each
   * call stands for itself: a broken connection's error stands in the place of what was sent there.
   * @throws OperatingError `not-settled` when they could not be confirmed anyway: nothing was sent
   */
  async callTogether(calls: readonly Call[], grade: Grade = "memory"): Promise<Replies> {
    const confirmation = grade === "memory" ? null : this.#confirmation(grade);
    const [only] = calls;
    if (only && calls.length === 1 && !confirmation) {
      return { replies: [await this.call(only).catch(redisError)], unconfirmed: null };
    }
    if (this.client instanceof Cluster) {
      // A pipeline must stay on one node. And a master that is away is no fault of the others: what the connection to it
      // broke stands in its call's place, too.
      const replies = await Promise.all(calls.map((call) => this.call(call).catch(anyError)));
      return { replies, unconfirmed: null };
    }
    const { address } = this.#seat;
    const pipeline = this.client.pipeline();
    for (const { name, args } of calls) pipeline.callBuffer(name, args as (string | Buffer | number)[]);
    if (confirmation) pipeline.call(confirmation.name, ...confirmation.args);
    const results = (await pipeline.exec()) ?? [];
    const replies = results.map(([error, value]) => (error === null ? value : redisError(error)));
    if (!confirmation) return { replies, unconfirmed: null };
    const held = replies.pop();
    if (held instanceof Error) return { replies, unconfirmed: held.message };
    return { replies, unconfirmed: this.#doubt(held, confirmation.wanted, address) };
  }

  /**
   * Asks the server how it says that its disk holds a write. A server that does not let itself be asked: `none`. Each
   * connection is asked anew: the next master may be another one. Its configuration is read only where there is no
   * WAITAOF: passwords stand in it, and whoever may read it is told them.
   */
  async learnDiskSync(): Promise<void> {
    if (this.client instanceof Cluster) return;
    try {
      const { client } = this;
      const [persistence, command] = (await Promise.all([
        client.call("INFO", "persistence"),
        client.call("COMMAND", "INFO", "WAITAOF"),
      ])) as [string, unknown[]];
      if (!persistence.includes("aof_enabled:1")) this.#diskSync = "none";
      else if (command[0]) this.#diskSync = "waitaof";
      else {
        const [, appendfsync] = (await client.call("CONFIG", "GET", "appendfsync")) as string[];
        this.#diskSync = appendfsync === "always" ? "always" : "none";
      }
    } catch {
      this.#diskSync = "none";
    }
  }

  /** Null until this connection has been asked. */
  get diskSync(): DiskSync | null {
    return this.#diskSync;
  }

  /** Can this connection confirm now what it writes and reads? */
  quorum(): Quorum {
    const quorum = this.#group.quorum();
    if (quorum.settled && quorum.master !== null && quorum.master !== this.#seat.address) {
      return { settled: false, reason: "not connected to the master that the Sentinels agree on" };
    }
    return quorum;
  }

  /** The command that waits for the grade, and how many replicas it must find; null where there is nothing to wait for. */
  #confirmation(grade: Grade): { name: string; args: number[]; wanted: number } | null {
    const quorum = this.quorum();
    if (!quorum.settled) throw new OperatingError("not-settled", quorum.reason);
    const wanted = quorum.replicas;
    if (grade === "disk" && (this.#diskSync ?? "none") === "none") {
      throw new OperatingError("not-settled", "the server has not said how its disk confirms");
    }
    if (grade === "disk" && this.#diskSync === "waitaof") {
      return { name: "WAITAOF", args: [1, wanted, CONFIRM_TIMEOUT_MS], wanted };
    }
    return wanted === 0 ? null : { name: "WAIT", args: [wanted, CONFIRM_TIMEOUT_MS], wanted };
  }

  /** @param held what WAIT or WAITAOF replied @returns null when it is enough, and still counts */
  #doubt(held: unknown, wanted: number, address: string | null): string | null {
    // WAITAOF tells of the server's own disk first.
    const [own, replicas] = Array.isArray(held) ? held.map(Number) : [1, Number(held)];
    const quorum = this.quorum();
    if (!quorum.settled) return quorum.reason;
    if (this.#seat.address !== address) return "the connection is another one now";
    const needed = Math.max(wanted, quorum.replicas);
    if (own === 0) return "not on the server's disk in time";
    return (replicas ?? 0) >= needed ? null : `${replicas} of ${needed} replicas`;
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

function createClient(group: RedisGroup, role: Role, name: string, seat: Seat): Redis | Cluster {
  const { url, watch, trust } = group;
  const options: ClientOptions = {
    ...clientOptions(role, name),
    ...(url.username !== undefined && { username: url.username }),
    ...(url.password !== undefined && { password: url.password }),
    ...(url.tls && { tls: { ...trust } }),
  };
  switch (url.kind) {
    case "standalone":
      return new Redis({ ...options, ...url.address, db: url.db });
    case "sentinel":
      if (watch === null) throw new Error("a Sentinel group without its watch");
      return new Redis({ ...options, Connector: connectorFor(watch, role, url.tls ? trust : null, seat) });
    case "cluster": {
      const { enableOfflineQueue, retryStrategy: _, ...redisOptions } = options;
      return new Cluster([...url.nodes], {
        lazyConnect: true,
        enableOfflineQueue: enableOfflineQueue ?? false,
        enableAutoPipelining: false,
        clusterRetryStrategy: (attempt) => Math.min(100 * attempt, 1000),
        // A moved slot is refreshed and followed, which is no repetition: the wrong node did nothing.
        slotsRefreshTimeout: 1000,
        // Masters that came since are learned without a command of ours being sent astray first.
        slotsRefreshInterval: 5000,
        // By default what was on its way when a connection broke is sent again: only its caller knows how to repeat it.
        retryDelayOnFailover: 0,
        redisOptions,
      });
    }
  }
}

function anyError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Redis' own errors are answers; anything else means that the answer did not come. */
function redisError(error: unknown): Error {
  if (error instanceof Error && error.name === "ReplyError") return error;
  throw error;
}
