/**
 * Bytes of the store per key against the same keys and values as plain SETs in an empty Redis.
 */
import { drain } from "./drain.ts";
import { backlog, startConsumer, startMillrace } from "./millrace.ts";
import { setPlainKeys } from "./plain-keys.ts";
import { infoNumber, startRedis, withRedis } from "./redis.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";
import { putKeys } from "./wrk.ts";

const KEYS = 200_000;
const LOAD_WITHIN_SECONDS = 60;

export async function benchMemory(stage: Stage): Promise<Row[]> {
  const plainUrl = await startRedis(stage, "store");
  const plain = await bytesPerKey(plainUrl, () => setPlainKeys(plainUrl, KEYS));

  const millrace = await startMillrace(stage);
  const consumer = await startConsumer(stage, millrace);
  const ours = await bytesPerKey(millrace.storeUrl, async () => {
    await putKeys(stage, millrace.keysUrl, 0, KEYS, LOAD_WITHIN_SECONDS);
    await drain(consumer, KEYS, () => backlog(millrace));
  });
  return [
    {
      name: "memory",
      what: "store bytes per key, 100-byte values, 200,000 keys",
      unit: "B",
      ours: { name: "store", rounds: [ours] },
      baseline: { name: "plain SET", rounds: [plain] },
      targets: [{ of: "ratio", bound: "at most", value: 2 }],
    },
  ];
}

async function bytesPerKey(redisUrl: string, write: () => Promise<unknown>): Promise<number> {
  const before = await usedMemory(redisUrl);
  await write();
  return ((await usedMemory(redisUrl)) - before) / KEYS;
}

function usedMemory(redisUrl: string): Promise<number> {
  return withRedis(redisUrl, (redis) => infoNumber(redis, "memory", "used_memory"));
}
