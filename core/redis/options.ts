/**
 * Every Redis client option, stated with its reason. The library's defaults lose or repeat writes at a failover and
 * hang on a frozen peer; these were chosen by experiment (docs/decisions/0003-redis-clients.md).
 */
import type { RedisOptions } from "ioredis";

/**
 * What a connection is for.
 * `writer`: appends, confirmed reads, apply, coordination: an outcome is never guessed and never repeated by the client.
 * `reader`: values and watermarks for GET; counts of rate limits, where a late answer is as good as none.
 * `replica`: the same from a replica, where there is one in sync.
 * `subscriber`: broadcasts.
 * `sentinel`: asks one Sentinel.
 */
export type Role = "writer" | "reader" | "replica" | "subscriber" | "sentinel";

/** Whose certificates are believed of the servers. */
export interface Trust {
  /** PEM; left out: those that Node knows. */
  readonly ca?: string;
}

/** The reply mapping is the library's default, `legacy`: it belongs to RESP2. */
export type ClientOptions = Omit<RedisOptions, "replyMapping">;

/** A peer that was killed, frozen or cut off is given up after this; longer than any WAIT or function of ours. */
export const SOCKET_TIMEOUT_MS = 2500;
const READER_SOCKET_TIMEOUT_MS = 1000;
const CONNECT_TIMEOUT_MS = 1000;
const SENTINEL_SOCKET_TIMEOUT_MS = 500;
/** Small: after a failover it is what writers wait for on top of it; an attempt costs next to nothing. */
const RETRY_MAX_MS = 250;

/** How often a subscriber pings: its socket timeout runs only while a command is outstanding. */
export const SUBSCRIBER_PING_MS = 1000;
const SUBSCRIBER_SOCKET_TIMEOUT_MS = 3000;

/** Answers of a node that is no longer, or not yet, the master: reconnect (1), but never resend (2). */
const RECONNECT_ERRORS = /^(READONLY|MASTERDOWN|LOADING|UNBLOCKED)/;

/** Did the node refuse because another one is, or will soon be, the master, or its replicas are not there just now? */
export function isMoving(error: Error): boolean {
  return RECONNECT_ERRORS.test(error.message) || error.message.startsWith("NOREPLICAS");
}

export function clientOptions(role: Role, name: string): ClientOptions {
  return {
    // Connections are opened by the service that owns them, not by a constructor.
    lazyConnect: true,
    // A client is usable only when INFO says that the node has loaded, and its role is right.
    enableReadyCheck: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Never null: a client that stops retrying is dead for good.
    retryStrategy: (attempt) => Math.min(25 * 2 ** Math.min(attempt, 10), RETRY_MAX_MS) + Math.random() * 50,
    reconnectOnError: (error) => (RECONNECT_ERRORS.test(error.message) ? 1 : false),
    keepAlive: 5000,
    noDelay: true,
    connectionName: name,
    // RESP2: reply shapes do not depend on the server's version.
    protocol: 2,
    // A command whose connection broke has an unknown outcome: only its caller knows how to repeat it safely.
    autoResendUnfulfilledCommands: false,
    // It reorders commands. What should travel together, we send together (Coalescer).
    enableAutoPipelining: false,
    // commandTimeout leaves the dead connection in place; socketTimeout replaces it.
    ...byRole(role),
  };
}

function byRole(role: Role): ClientOptions {
  switch (role) {
    case "writer":
      return {
        socketTimeout: SOCKET_TIMEOUT_MS,
        maxRetriesPerRequest: 0,
        // Nothing waits inside the client: what is not sent is refused at once, and known not to have happened.
        enableOfflineQueue: false,
      };
    case "reader":
    case "replica":
      return {
        socketTimeout: READER_SOCKET_TIMEOUT_MS,
        maxRetriesPerRequest: 0,
        enableOfflineQueue: false,
      };
    case "subscriber":
      return {
        socketTimeout: SUBSCRIBER_SOCKET_TIMEOUT_MS,
        maxRetriesPerRequest: null,
        enableOfflineQueue: true,
        autoResubscribe: true,
      };
    case "sentinel":
      return {
        socketTimeout: SENTINEL_SOCKET_TIMEOUT_MS,
        maxRetriesPerRequest: 0,
        enableOfflineQueue: false,
        // A Sentinel's INFO has no role.
        enableReadyCheck: false,
      };
  }
}
