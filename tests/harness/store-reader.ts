/** What the store holds, read past the API. */
import type { Redis } from "ioredis";
import { ID_ZERO } from "../../core/entry-id.ts";
import { parseWatermark, type Watermark } from "../../core/functions/apply.ts";
import { keysAt, type PartitionKeys, partitionKeys } from "../../core/keys.ts";
import { openRedis } from "./log-reader.ts";

export interface StoreReader {
  readonly redis: Redis;
  keys(partition: number): PartitionKeys;
  watermark(partition: number): Promise<Watermark>;
  /** Commands applied, over all partitions. */
  applied(): Promise<number>;
  /** Ids of the dead letters of a partition, in order. */
  dead(partition: number): Promise<string[]>;
  /** Every key with all it holds: two stores in the same state give equal snapshots. */
  snapshot(): Promise<Record<string, unknown>>;
}

export function readStore(server: { readonly url: string }, partitions: number): StoreReader {
  const redis = openRedis(server);
  const keysOf = partitionKeys(partitions);
  const keys = (partition: number): PartitionKeys => keysAt(keysOf, partition);
  const watermark = async (partition: number): Promise<Watermark> =>
    parseWatermark((await redis.get(keys(partition).watermark)) ?? `${ID_ZERO} 0`);
  return {
    redis,
    keys,
    watermark,
    applied: async () => {
      const all = await Promise.all(keysOf.map(({ partition }) => watermark(partition)));
      return all.reduce((sum, { ordinal }) => sum + ordinal, 0);
    },
    dead: async (partition) => (await redis.xrange(keys(partition).dead, "-", "+")).map(([id]) => id),
    snapshot: async () => {
      const names = (await redis.keys("*")).toSorted();
      return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await contentOf(redis, name)])));
    },
  };
}

async function contentOf(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case "string":
      return (await redis.getBuffer(key))?.toString("latin1");
    case "hash":
      return redis.hgetall(key);
    case "zset":
      return redis.zrange(key, "0", "-1");
    case "stream":
      return redis.xrange(key, "-", "+");
    default:
      throw new Error(`${key} is a ${type}`);
  }
}
