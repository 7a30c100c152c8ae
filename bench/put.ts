/**
 * Accepted PUT/s of one api process, no consumer running, against bare node:http with one XADD per request.
 */

import { request } from "./http-request.ts";
import { interleave } from "./interleave.ts";
import { startMillrace } from "./millrace.ts";
import { startServer } from "./node-process.ts";
import { startRedis } from "./redis.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";
import { putRate } from "./wrk.ts";

const ROUNDS = 5;
const ROUND_SECONDS = 3;
/** More than a round can write, so that every PUT of the bench has a key of its own. */
const KEYS_PER_ROUND = 200_000;

export async function benchPut(stage: Stage): Promise<Row[]> {
  const bareUrl = await startServer(stage, "baseline/xadd-server.js", await startRedis(stage, "log"));
  const bareKeysUrl = `${bareUrl}/v1/kv/bench/k`;
  const millrace = await startMillrace(stage);
  for (const url of [bareKeysUrl, millrace.keysUrl]) await request(`${url}0`, 202, { method: "PUT", body: "v" });

  const put = (url: string, round: number) =>
    putRate(stage, url, ROUND_SECONDS, round * KEYS_PER_ROUND, KEYS_PER_ROUND);
  const taken = await interleave(
    ROUNDS,
    (round) => put(millrace.keysUrl, round),
    (round) => put(bareKeysUrl, round),
  );
  return [
    {
      name: "put",
      what: "accepted PUT/s, 64 connections",
      unit: "1/s",
      ours: { name: "api", rounds: taken.ours },
      baseline: { name: "node:http + XADD", rounds: taken.baseline },
      targets: [{ of: "ratio", bound: "at least", value: 1 }],
    },
  ];
}
