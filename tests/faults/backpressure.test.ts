import { describe, expect, test } from "vitest";
import { eachOf, keepDoing } from "../harness/crowd.ts";
import { type Answer, applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { openRedis, readLog } from "../harness/log-reader.ts";
import { metricOf } from "../harness/metrics.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startRedis } from "../harness/redis-server.ts";
import { mountSmallDisk } from "../harness/small-disk.ts";
import { startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 2;
const NAMESPACE = "pressed";
const CLIENTS = 16;
const BACKLOG_MAX = 300;
const MEBIBYTE = 1024 * 1024;

/** Writes one key after the other, each with a value of its own, and keeps what became of them. */
function writerOf(client: HttpClient, valueBytes: number) {
  const contentOf = (key: string) => `${key} `.padEnd(valueBytes, ".");
  const accepted: string[] = [];
  const refused: Answer[] = [];
  let count = 0;
  const write = async (): Promise<Answer> => {
    count += 1;
    const key = `key-${count}`;
    const answer = await client.put(NAMESPACE, key, contentOf(key));
    if (answer.status === 202) accepted.push(key);
    else refused.push(answer);
    return answer;
  };
  return {
    accepted,
    refused,
    write,
    /** Clients that go on writing until one of them is refused. */
    untilRefused: async (): Promise<void> => {
      const before = refused.length;
      const load = keepDoing(CLIENTS, async () => void (await write()));
      await waitFor(() => refused.length > before, { timeoutMs: 60_000, what: "a refusal" });
      await load.stop();
    },
    /** A write that goes through in the end. */
    untilAccepted: () =>
      waitFor(async () => (await write()).status === 202, {
        timeoutMs: 60_000,
        intervalMs: 50,
        what: "a write accepted",
      }),
    expectApplied: async (): Promise<void> => {
      await eachOf(accepted, CLIENTS, async (key) => {
        expect((await client.get(NAMESPACE, key)).text).toBe(contentOf(key));
      });
    },
  };
}

function expectRefusals(refused: readonly Answer[], slug: string): void {
  expect(refused.length).toBeGreaterThan(0);
  for (const { status, headers, text } of refused) {
    expect([status, JSON.parse(text).type]).toEqual([503, `/problems/${slug}`]);
    expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(1);
  }
}

/** Commands that a Redis has refused with this error since it started. */
async function refusalsBy(redis: ReturnType<typeof openRedis>, error: string): Promise<number> {
  return Number(new RegExp(`^errorstat_${error}:count=(\\d+)`, "m").exec(await redis.info("errorstats"))?.[1] ?? 0);
}

describe.concurrent("a full backlog", () => {
  test("refuses writes at its bound on every API, keeps all it took, and takes writes again once it is applied", async () => {
    const env = { MILLRACE_BACKLOG_MAX: String(BACKLOG_MAX) };
    const stack = await startStack({ partitions: PARTITIONS, apis: 2, env });
    const [first, other] = stack.apis;
    if (!first || !other) throw new Error("there should be two APIs");
    const [client, second] = [httpClient(first.url), httpClient(other.url)];
    const writer = writerOf(client, 100);
    await writer.untilAccepted();
    const partitions = watchPartitions(stack.url);
    await partitions.drained();

    await stack.consumers[0]?.kill();
    for (const partition of Array(PARTITIONS).keys()) {
      await waitFor(async () => {
        await writer.untilRefused();
        return metricOf(first, `millrace_admission_closed{bound="backlog-full",partition="${partition}"}`);
      });
    }
    expectRefusals(writer.refused, "backlog-full");
    for (const { backlog } of await partitions.view()) {
      expect(backlog).toBeGreaterThanOrEqual(BACKLOG_MAX);
      expect(backlog).toBeLessThanOrEqual(BACKLOG_MAX + CLIENTS);
    }
    // An API that has written nothing itself comes to the same.
    const refusal = await waitFor(async () => {
      const answer = await second.put(NAMESPACE, "of-another-api", "");
      return answer.status === 503 && answer;
    });
    expectRefusals([refusal], "backlog-full");
    expect((await client.get(NAMESPACE, "key-1")).status).toBe(200);
    const counted = await metricOf(first, 'millrace_http_problems_total{type="backlog-full"}');
    expect(counted).toBe(writer.refused.length);

    await stack.addConsumer();
    await writer.untilAccepted();
    await partitions.drained();
    await writer.expectApplied();
    applied(await second.put(NAMESPACE, "of-another-api", "", WAIT));
    for (const api of stack.apis) {
      expect(api.running).toBe(true);
      expect(api.logs().filter((line) => line.includes("writes are taken again"))).not.toEqual([]);
    }
  });
});

describe.concurrent("a log that runs out of memory", () => {
  const LIMIT_BYTES = 32 * MEBIBYTE;
  const VALUE_BYTES = 64 * 1024;

  test("is written to no more before Redis itself refuses; what is applied goes before its time, and writes go on", async () => {
    const stack = await startStack({ partitions: PARTITIONS });
    const redis = openRedis(stack.log);
    await redis.config("SET", "maxmemory", LIMIT_BYTES);
    const client = httpClient(stack.url);
    const writer = writerOf(client, VALUE_BYTES);
    await writer.untilAccepted();
    const partitions = watchPartitions(stack.url);
    await partitions.drained();

    await stack.consumers[0]?.kill();
    await writer.untilRefused();
    expectRefusals(writer.refused, "log-full");
    const log = readLog(stack.log, PARTITIONS);
    expect((await log.all()).map(({ key }) => key).toSorted()).toEqual(writer.accepted.toSorted());
    expect((await client.get(NAMESPACE, "key-1")).status).toBe(200);

    const consumer = await stack.addConsumer();
    // More than fits, with a retention of an hour.
    const goalBytes = 1.2 * LIMIT_BYTES;
    await waitFor(
      async () => {
        await writer.untilAccepted();
        return writer.accepted.length * VALUE_BYTES > goalBytes;
      },
      { timeoutMs: 110_000, intervalMs: 0, what: "more written than the log could hold" },
    );
    expectRefusals(writer.refused, "log-full");
    await partitions.drained();
    await writer.expectApplied();
    expect(await refusalsBy(redis, "OOM")).toBe(0);
    expect(await metricOf(consumer, "millrace_log_entries_trimmed_early_total")).toBeGreaterThan(0);
    await consumer.waitForLog("applied entries go before their time");
    // What was applied just now is still there: a store that is killed may come back without it.
    expect((await log.all()).map(({ key }) => key)).toContain(writer.accepted.at(-1));
    for (const { state } of await partitions.view()) expect(state).toBe("ok");
  });
});

describe.concurrent("a store that runs out of memory", () => {
  test("holds its partitions and nothing is lost: writes are taken up to the backlog's bound, reads go on, and it goes on by itself", async () => {
    const env = { MILLRACE_BACKLOG_MAX: String(BACKLOG_MAX) };
    const stack = await startStack({ partitions: PARTITIONS, env });
    const redis = openRedis(stack.store);
    const client = httpClient(stack.url);
    const writer = writerOf(client, 4 * 1024);
    await writer.untilAccepted();
    const partitions = watchPartitions(stack.url);
    await partitions.drained();
    await redis.config("SET", "maxmemory", MEBIBYTE);

    await writer.untilRefused();
    expectRefusals(writer.refused, "backlog-full");
    for (const partition of Array(PARTITIONS).keys()) {
      expect((await partitions.inState(partition, "held")).reason).toContain("OOM");
    }
    expect(await refusalsBy(redis, "OOM")).toBeGreaterThan(0);
    expect((await client.get(NAMESPACE, "key-1")).status).toBe(200);

    await redis.config("SET", "maxmemory", 0);
    await writer.untilAccepted();
    await partitions.drained();
    await writer.expectApplied();
    for (const { partition } of await partitions.view()) await partitions.inState(partition, "ok");
  });
});

describe.concurrent.each(["everysec", "always"])("a log whose disk is full, with appendfsync %s,", (appendfsync) => {
  const disk = mountSmallDisk(6);

  test.skipIf(disk === null)(
    "answers 503 and nothing else, loses nothing that was accepted, and goes on when there is room",
    async () => {
      if (disk === null) return;
      const log = await startRedis({ kind: "log", dir: disk.dir, args: ["--appendfsync", appendfsync] });
      const stack = await startStack({ partitions: PARTITIONS, reach: async () => ({ log }) });
      const client = httpClient(stack.url);
      const writer = writerOf(client, 16 * 1024);
      await writer.untilRefused();
      for (const { status, headers, text } of writer.refused) {
        expect(status).toBe(503);
        expect(text).toMatch(appendfsync === "everysec" ? /log-unavailable/ : /log-unavailable|outcome-unknown/);
        expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(1);
      }
      await writer.write();
      expect((await client.get(NAMESPACE, "key-1")).status).toBe(200);

      disk.grow(64);
      // Redis ends itself when it cannot keep what "always" promises.
      if (appendfsync === "always") await waitFor(() => !log.running);
      if (!log.running) await log.restart();
      await writer.untilAccepted();
      const redis = openRedis(log);
      await waitFor(async () => /^aof_last_write_status:ok/m.test(await redis.info("persistence")));
      await waitFor(async () => /^aof_buffer_length:0/m.test(await redis.info("persistence")));
      await log.kill();
      await log.restart();
      const held = (await readLog(log, PARTITIONS).all()).map(({ key }) => key);
      expect(held).toEqual(expect.arrayContaining(writer.accepted));
      await writer.untilAccepted();
      await watchPartitions(stack.url).drained();
      await writer.expectApplied();
      for (const { status } of writer.refused) expect(status).toBe(503);
    },
  );
});
