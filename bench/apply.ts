/**
 * Applied commands/s of one consumer working off a backlog, against one BullMQ worker doing the same SETs.
 */
import { applyByBullmq } from "./baseline/bullmq-queue.ts";
import { drain, drainRate } from "./drain.ts";
import { request } from "./http-request.ts";
import { interleave } from "./interleave.ts";
import { backlog, spawnConsumer, startMillrace } from "./millrace.ts";
import { startRedis } from "./redis.ts";
import type { Row } from "./row.ts";
import { STOP_GRACE_MS, type Stage } from "./stage.ts";
import { putKeys } from "./wrk.ts";

const ROUNDS = 3;
/** Some seconds of work for either side. */
const COMMANDS = 400_000;
const JOBS = 60_000;
const LOAD_WITHIN_SECONDS = 40;

export async function benchApply(stage: Stage): Promise<Row[]> {
  const [queueUrl, bareStoreUrl] = [await startRedis(stage, "log"), await startRedis(stage, "store")];
  const millrace = await startMillrace(stage);

  const ours = async (round: number) => {
    const firstKey = round * COMMANDS;
    const accepted = await putKeys(stage, millrace.keysUrl, firstKey, COMMANDS, LOAD_WITHIN_SECONDS);
    const { child: consumer } = await spawnConsumer(stage, millrace);
    const samples = await drain(consumer, accepted, () => backlog(millrace));
    await consumer.stop(STOP_GRACE_MS);
    await request(`${millrace.keysUrl}${String(firstKey + COMMANDS - 1).padStart(8, "0")}`, 200);
    return drainRate(accepted, samples);
  };
  const bullmq = (round: number) => applyByBullmq(stage, queueUrl, bareStoreUrl, round * JOBS, JOBS);

  const taken = await interleave(ROUNDS, ours, bullmq);
  return [
    {
      name: "apply",
      what: "applied commands/s, one consumer",
      unit: "1/s",
      ours: { name: "consumer", rounds: taken.ours },
      baseline: { name: "BullMQ worker", rounds: taken.baseline },
      targets: [
        { of: "ours", bound: "at least", value: 100_000 },
        { of: "ratio", bound: "at least", value: 5 },
      ],
    },
  ];
}
