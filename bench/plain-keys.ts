/**
 * The keys and values that wrk puts through Millrace, written as plain SETs.
 */
import { withRedis } from "./redis.ts";

export const VALUE = "v".repeat(100);
const PIPELINE_COMMANDS = 1_000;

/** The key that load/put.lua and load/get.lua spell for a number. */
export function keyName(number: number): string {
  return `k${String(number).padStart(8, "0")}`;
}

export function setPlainKeys(redisUrl: string, keys: number): Promise<void> {
  return withRedis(redisUrl, async (redis) => {
    for (let first = 0; first < keys; first += PIPELINE_COMMANDS) {
      const pipeline = redis.pipeline();
      const end = Math.min(first + PIPELINE_COMMANDS, keys);
      for (let number = first; number < end; number += 1) pipeline.set(keyName(number), VALUE);
      await pipeline.exec();
    }
  });
}
