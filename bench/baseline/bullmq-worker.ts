/**
 * What apply is compared with: one BullMQ worker whose jobs do the same SETs. Arguments: queue name, queue Redis URL,
 * store Redis URL, concurrency.
 */
import { Worker } from "bullmq";
import { Redis } from "ioredis";

const [queue, queueUrl, storeUrl, concurrency] = process.argv.slice(2);
if (queue === undefined || queueUrl === undefined || storeUrl === undefined) throw new Error("arguments are missing");
const store = new Redis(storeUrl);
const connection = new Redis(queueUrl, { maxRetriesPerRequest: null });

const worker = new Worker<{ key: string; value: string }>(
  queue,
  async (job) => {
    await store.set(job.data.key, job.data.value);
  },
  { connection, concurrency: Number(concurrency), removeOnComplete: { count: 0 } },
);

process.once("SIGTERM", () => {
  void worker.close().finally(() => {
    store.disconnect();
    connection.disconnect();
  });
});
