/**
 * One round of BullMQ: a queue is filled, then one worker process empties it.
 */
import { Queue } from "bullmq";
import { drain, drainRate } from "../drain.ts";
import { startNode } from "../node-process.ts";
import { keyName, VALUE } from "../plain-keys.ts";
import { withRedis } from "../redis.ts";
import { STOP_GRACE_MS, type Stage } from "../stage.ts";

const QUEUE = "bench";
const JOBS_PER_CALL = 1_000;
/** Its best where this was written: of 1, 10, 50, 100, 200, 500 and 1000, 200 and 500 were alike and ahead of the rest. */
const CONCURRENCY = 200;

/** Gives applied jobs per second. @throws when the store does not hold every key afterwards. */
export function applyByBullmq(
  stage: Stage,
  queueUrl: string,
  storeUrl: string,
  firstKey: number,
  jobs: number,
): Promise<number> {
  return withRedis(queueUrl, async (connection) => {
    const queue = new Queue(QUEUE, { connection });
    for (let first = firstKey; first < firstKey + jobs; first += JOBS_PER_CALL) {
      const data = Array.from({ length: JOBS_PER_CALL }, (_, i) => ({ key: keyName(first + i), value: VALUE }));
      await queue.addBulk(data.map((job) => ({ name: "set", data: job })));
    }
    const worker = await startNode(stage, "baseline/bullmq-worker.js", [
      QUEUE,
      queueUrl,
      storeUrl,
      String(CONCURRENCY),
    ]);
    const samples = await drain(worker, jobs, async () => {
      const { waiting = 0, active = 0 } = await queue.getJobCounts("waiting", "active");
      return waiting + active;
    });
    await worker.stop(STOP_GRACE_MS);
    const stored = await withRedis(storeUrl, (store) => store.dbsize());
    if (stored < jobs) throw new Error(`BullMQ left ${stored} keys of ${jobs}`);
    await queue.close();
    return drainRate(jobs, samples);
  });
}
