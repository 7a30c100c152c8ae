/**
 * GET/s over existing keys against bare Hono with one Redis GET per request.
 */
import { drain } from "./drain.ts";
import { request } from "./http-request.ts";
import { interleave } from "./interleave.ts";
import { backlog, startConsumer, startMillrace } from "./millrace.ts";
import { startServer } from "./node-process.ts";
import { setPlainKeys } from "./plain-keys.ts";
import { startRedis } from "./redis.ts";
import type { Row } from "./row.ts";
import { STOP_GRACE_MS, type Stage } from "./stage.ts";
import { getRate, putKeys } from "./wrk.ts";

const ROUNDS = 5;
const ROUND_SECONDS = 2;
const KEYS = 100_000;
const LOAD_WITHIN_SECONDS = 30;

export async function benchGet(stage: Stage): Promise<Row[]> {
  const bareStoreUrl = await startRedis(stage, "store");
  await setPlainKeys(bareStoreUrl, KEYS);
  const bareUrl = await startServer(stage, "baseline/get-server.js", bareStoreUrl);
  const bareKeysUrl = `${bareUrl}/v1/kv/bench/k`;

  const millrace = await startMillrace(stage);
  const consumer = await startConsumer(stage, millrace);
  await putKeys(stage, millrace.keysUrl, 0, KEYS, LOAD_WITHIN_SECONDS);
  await drain(consumer, KEYS, () => backlog(millrace));
  await consumer.stop(STOP_GRACE_MS);
  for (const url of [bareKeysUrl, millrace.keysUrl]) {
    const value = await request(`${url}00000000`, 200);
    if (value.length !== 100) throw new Error(`${url} gave ${value.length} bytes instead of 100`);
  }

  const taken = await interleave(
    ROUNDS,
    () => getRate(stage, millrace.keysUrl, ROUND_SECONDS, KEYS),
    () => getRate(stage, bareKeysUrl, ROUND_SECONDS, KEYS),
  );
  return [
    {
      name: "get",
      what: "GET/s, 64 connections, 100,000 keys",
      unit: "1/s",
      ours: { name: "api", rounds: taken.ours },
      baseline: { name: "Hono + GET", rounds: taken.baseline },
      targets: [{ of: "ratio", bound: "at least", value: 0.9 }],
    },
  ];
}
