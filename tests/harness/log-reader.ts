/** The truth of a test: what the log holds, read by XRANGE past all of our own reading code. */
import { Redis } from "ioredis";
import { type EntryId, formatRevision } from "../../core/entry-id.ts";
import { APPLY_GROUP, keysAt, type PartitionKeys, partitionKeys } from "../../core/keys.ts";
import { cleanUpLater } from "./running.ts";

export interface LogEntry {
  readonly partition: number;
  readonly id: EntryId;
  readonly revision: string;
  readonly ordinal: number;
  readonly namespace: string;
  readonly key: string;
  readonly operation: string;
  /** Of an increment. */
  readonly by: bigint;
  readonly body: string;
}

export interface Pending {
  readonly id: EntryId;
  readonly consumer: string;
}

export interface LogReader {
  readonly redis: Redis;
  keys(partition: number): PartitionKeys;
  /** All commands of a partition, in order. */
  entries(partition: number): Promise<LogEntry[]>;
  /** All commands: in order within a partition, one partition after the other. */
  all(): Promise<LogEntry[]>;
  /** Delivered to a consumer and not acked, in order. */
  pending(partition: number): Promise<Pending[]>;
}

export function readLog(server: { readonly url: string }, partitions: number): LogReader {
  const redis = openRedis(server);
  const keysOf = partitionKeys(partitions);
  const keys = (partition: number): PartitionKeys => keysAt(keysOf, partition);
  const entries = async (partition: number): Promise<LogEntry[]> => {
    const raw = await redis.xrange(keys(partition).log, "-", "+");
    return raw.map(([id, fields]) => parse(partition, id, fields));
  };
  return {
    redis,
    keys,
    entries,
    all: async () => (await Promise.all(keysOf.map(({ partition }) => entries(partition)))).flat(),
    pending: async (partition) => {
      const rows = (await redis.xpending(keys(partition).log, APPLY_GROUP, "-", "+", 10_000)) as [string, string][];
      return rows.map(([id, consumer]) => ({ id, consumer }));
    },
  };
}

/** A connection of the test itself, closed at the end of the test file. */
export function openRedis(server: { readonly url: string }): Redis {
  const redis = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on("error", () => undefined);
  cleanUpLater(() => redis.disconnect());
  return redis;
}

/** `<ordinal> <JSON header>`, as core/codec.ts describes it; something else is an entry without an ordinal. */
function parse(partition: number, id: EntryId, [, line = "", , body = ""]: string[]): LogEntry {
  const [, ordinal = "0", json = "{}"] = /^(\d+) (\{.*\})$/s.exec(line) ?? [];
  const header = JSON.parse(json) as { n?: string; k?: string; o?: string; by?: string };
  return {
    partition,
    id,
    revision: formatRevision(partition, id),
    ordinal: Number(ordinal),
    namespace: header.n ?? "",
    key: header.k ?? "",
    operation: header.o ?? "",
    by: BigInt(header.by ?? "0"),
    body,
  };
}
