import { beforeAll, describe, expect, test } from "vitest";
import type { Command } from "../../core/command.ts";
import { type Job, jobId } from "../../core/job.ts";
import { JOB_RETENTION_MS, JOBS_FINISHED_MAX } from "../../core/limits.ts";
import { SYSTEM_NAMESPACE } from "../../core/partition.ts";
import { jobKey, systemPartition } from "../../core/system-keys.ts";
import { eachOf } from "../harness/crowd.ts";
import { accepted, type HttpClient, httpClient } from "../harness/http.ts";
import { finished, readJob, startDelete } from "../harness/jobs.ts";
import { keysIn } from "../harness/keys-of.ts";
import { readLog } from "../harness/log-reader.ts";
import { type Partitions, watchPartitions } from "../harness/partitions.ts";
import { openProducer } from "../harness/producer.ts";
import { type RedisProxy, startProxy } from "../harness/proxy.ts";
import type { RedisServer } from "../harness/redis-server.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 2;
const KEYS = 10_000;
/** So often may the consumers append before the test lets them go on: each time too little to end the deletion. */
const APPENDS_AT_ONCE = 14;
const LEASE = { MILLRACE_LEASE_MS: "600" };

async function indexOf(stack: Stack, namespace: string): Promise<Set<string>> {
  const store = readStore(stack.store, PARTITIONS);
  const indexes = Array.from({ length: PARTITIONS }, (_, partition) =>
    store.redis.zrange(store.keys(partition).index(namespace), "0", "-1"),
  );
  return new Set((await Promise.all(indexes)).flat());
}

const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

/** Holds the appends of all consumers that reach the log through it, but for so many. */
function startGate() {
  let left = 0;
  const waiting: (() => void)[] = [];
  return {
    letGoOn: (appends: number): void => {
      left += appends;
      for (const goOn of waiting.splice(0)) goOn();
    },
    before: async (log: RedisServer): Promise<RedisProxy> => {
      const proxy = await startProxy(log);
      const arm = (): void =>
        void proxy.onRequest("append_", async () => {
          arm();
          while (left <= 0) await new Promise<void>((resolve) => waiting.push(resolve));
          left -= 1;
          return "forward";
        });
      arm();
      return proxy;
    },
  };
}

describe("a deletion of 10,000 keys whose runner is killed, frozen and killed again, with writes all the while", () => {
  let stack: Stack;
  let client: HttpClient;
  let partitions: Partitions;
  beforeAll(async () => {
    stack = await startStack({ partitions: PARTITIONS, consumers: 0, env: LEASE });
    client = httpClient(stack.url);
    partitions = watchPartitions(stack.url);
  });

  /** The consumer that runs the job, once it has done some more. @param but one that is gone, whose last step may still be told */
  const runnerOf = (id: string, moreThan: number, but?: string) =>
    waitFor(
      async () => {
        const { progress, runner } = await readJob(client, id);
        const [now = "", deleted = 0] = [String(runner).split("/")[0], progress.deleted];
        return deleted > moreThan && now !== but && { deleted, name: now };
      },
      { what: `more than ${moreThan} deleted, not by ${but}`, timeoutMs: 60_000 },
    );

  test("is gone on with by others, ends, and deletes what was there and nothing else", async () => {
    const gate = startGate();
    const start = async (name: string) =>
      stack.addConsumer({ log: await gate.before(stack.log), env: { MILLRACE_CONSUMER: name } });
    const consumers = new Map([
      ["one", await start("one")],
      ["two", await start("two")],
    ]);
    const old = numbered("k", KEYS);
    await eachOf([...old, "other/1"], 64, async (key) => accepted(await client.put("bulk", key, "v")));
    await eachOf(numbered("k", 50), 16, async (key) => accepted(await client.put("bulk2", key, "v")));
    await partitions.drained({ timeoutMs: 60_000 });

    const job = await startDelete(client, "bulk", "k");
    // Written after the job was accepted: old keys again, all over the order of the deletion, and new ones.
    const rewritten = Array.from({ length: KEYS / 50 }, (_, n) => `k${n * 50 + 7}`);
    const fresh = numbered("k-new-", 200);
    const writes = eachOf([...rewritten, ...fresh], 4, async (key) => accepted(await client.put("bulk", key, "after")));

    gate.letGoOn(APPENDS_AT_ONCE);
    const first = await runnerOf(job.id, 0);
    await consumers.get(first.name)?.kill();
    gate.letGoOn(APPENDS_AT_ONCE);
    const second = await runnerOf(job.id, first.deleted, first.name);
    // Frozen for longer than its lease: a third goes on, and the frozen one wakes up to find that it has lost the job.
    await start("three");
    const frozen = consumers.get(second.name);
    frozen?.pause();
    gate.letGoOn(APPENDS_AT_ONCE);
    const third = await waitFor(
      async () => {
        const now = await runnerOf(job.id, second.deleted);
        return now.name === "three" && now;
      },
      { what: "three runs it" },
    );
    frozen?.resume();
    gate.letGoOn(Number.POSITIVE_INFINITY);
    expect(third.deleted).toBeGreaterThan(second.deleted);

    const done = await finished(client, job.id);
    await writes;
    await partitions.drained();
    expect(done).toMatchObject({ state: "done", progress: { failed: 0 } });
    const left = await indexOf(stack, "bulk");
    expect([...left].toSorted()).toEqual(["other/1", ...rewritten, ...fresh].toSorted());
    for (const key of [...rewritten.slice(0, 50), ...fresh.slice(0, 50)]) {
      expect((await client.get("bulk", key)).text).toBe("after");
    }
    expect((await indexOf(stack, "bulk2")).size).toBe(50);
    // Each key that is gone had one delete that was applied, whoever sent how many.
    const deletes = (await readLog(stack.log, PARTITIONS).all()).filter(({ operation }) => operation === "delete");
    expect(new Set(deletes.map(({ key }) => key)).size).toBeGreaterThanOrEqual(KEYS - rewritten.length);
    expect(deletes.every(({ namespace, key }) => namespace === "bulk" && key.startsWith("k"))).toBe(true);
    // A page that was under way at each change of the runner may have come twice, and no more.
    expect(deletes.length - new Set(deletes.map(({ key }) => key)).size).toBeLessThanOrEqual(4 * 200);
  });
});

test("what was accepted before a deletion and is not applied yet is deleted, too: it waits for it", async () => {
  const stack = await startStack({ partitions: PARTITIONS, consumers: 0, env: { MILLRACE_LEASE_MS: "60000" } });
  const client = httpClient(stack.url);
  const [one, two] = [
    await stack.addConsumer({ env: { MILLRACE_CONSUMER: "one" } }),
    await stack.addConsumer({ env: { MILLRACE_CONSUMER: "two" } }),
  ];
  const owners = await watchPartitions(stack.url).ownedBy(["one", "two"]);
  const other = owners.find(({ partition }) => partition !== systemPartition(PARTITIONS));
  // It keeps its partition for a minute: nobody else applies what is accepted there.
  const frozen = other?.owner === "one" ? one : two;
  frozen.pause();
  const keys = keysIn(other?.partition ?? 0, PARTITIONS, "late", 300);
  await eachOf(keys, 16, async (key) => accepted(await client.put("late", key, "v")));
  const job = await startDelete(client, "late");
  await waitFor(async () => (await readJob(client, job.id)).state === "running");
  expect(await readJob(client, job.id, 2)).toMatchObject({ state: "running" });
  frozen.resume();
  expect(await finished(client, job.id)).toMatchObject({ state: "done", progress: { deleted: keys.length } });
  expect((await indexOf(stack, "late")).size).toBe(0);
});

test("finished jobs go when they are a week old, or when there are a thousand younger ones; others stay", async () => {
  const stack = await startStack({ partitions: PARTITIONS });
  const client = httpClient(stack.url);
  const partition = systemPartition(PARTITIONS);
  const nowMs = Date.now();
  const jobAt = (ageMs: number, n: number, state: Job["state"]): Job => ({
    id: jobId(nowMs - ageMs, String(n).padStart(8, "0")),
    type: state === "queued" ? "of-a-newer-version" : "delete",
    parameters: {},
    state,
    progress: {},
    createdAt: new Date(nowMs - ageMs).toISOString(),
    startedAt: null,
    finishedAt: state === "queued" ? null : new Date(nowMs - ageMs).toISOString(),
    runner: null,
    reason: null,
    basis: {},
  });
  const waiting = jobAt(JOB_RETENTION_MS + 60_000, 1, "queued");
  const tooOld = [2, 3].map((n) => jobAt(JOB_RETENTION_MS + 60_000, n, "failed"));
  const enough = Array.from({ length: JOBS_FINISHED_MAX + 30 }, (_, n) => jobAt(60_000 + n * 1000, n, "done"));
  const commands = [waiting, ...tooOld, ...enough].map(
    (job): Command => ({
      namespace: SYSTEM_NAMESPACE,
      key: jobKey(job.id),
      operation: { op: "put", contentType: "application/json", value: Buffer.from(JSON.stringify(job)) },
      awaited: false,
      acceptedMs: nowMs,
    }),
  );
  const { log, name } = await openProducer(stack.log, PARTITIONS);
  for (let at = 0; at < commands.length; at += 200) {
    const group = { producer: name, firstSequence: at + 1, commands: commands.slice(at, at + 200) };
    await log.append(partition, group);
  }
  const idsLeft = async () => {
    const ids: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const { text } = await client.send("GET", `/v1/jobs?limit=250${cursor && `&cursor=${cursor}`}`);
      const page = JSON.parse(text) as { jobs: { id: string }[]; cursor: string | null };
      ids.push(...page.jobs.map(({ id }) => id));
      cursor = page.cursor;
    }
    return ids;
  };
  const stay = [...enough.slice(0, JOBS_FINISHED_MAX), waiting].map(({ id }) => id);
  await waitFor(async () => (await idsLeft()).length === stay.length, { what: "the old ones go" });
  expect(new Set(await idsLeft())).toEqual(new Set(stay));
  expect(await readJob(client, waiting.id)).toMatchObject({ state: "queued", runner: null });
});
