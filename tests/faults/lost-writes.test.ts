import { describe, expect, test } from "vitest";
import type { Revision } from "../../core/entry-id.ts";
import { eachOf } from "../harness/crowd.ts";
import { accepted, applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { keysIn } from "../harness/keys-of.ts";
import { openRedis, readLog } from "../harness/log-reader.ts";
import { metricOf } from "../harness/metrics.ts";
import { remember } from "../harness/older-copy.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { type RedisServer, startRedis } from "../harness/redis-server.ts";
import { slowDisk } from "../harness/slow-disk.ts";
import { startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const LOST = 10;
const HELD_BACK = 100;

test("accepted writes that the log has lost before they were applied are counted and told, never passed over in silence", async () => {
  const stack = await startStack({ partitions: 1, consumers: 0 });
  const client = httpClient(stack.url);
  const put = async (key: string) => accepted(await client.put("lost", key, key));
  await put("kept");
  const forget = await remember(stack.log);
  await expect.poll(() => put("first").catch(() => null)).not.toBeNull();
  // Of those before, the fate of one may have been unknown.
  const held = async () => (await readLog(stack.log, 1).entries(0)).length;
  while ((await held()) < 1 + LOST) await put("lost");
  await forget();

  const consumer = await stack.addConsumer();
  await expect.poll(() => put("after").catch(() => null)).not.toBeNull();
  applied(await client.put("lost", "last", "last", WAIT));
  await consumer.waitForLog(`"jumped":${LOST}`);
  const metrics = await (await fetch(`${consumer.opsUrl}/metrics`)).text();
  expect(metrics).toContain(`millrace_commands_lost_total ${LOST}\n`);
  expect((await client.get("lost", "kept")).text).toBe("kept");
});

describe("with appendfsync everysec and a slow disk, a log that is killed takes acknowledged writes with it; each is told:", () => {
  const PARTITIONS = 2;
  const AFTER = [0, 1].map((partition) => keysIn(partition, PARTITIONS, "lost", 1)[0] ?? "");
  const disk = slowDisk();

  async function start(consumers: number) {
    if (disk === null) throw new Error("there is no slow disk");
    const args = ["--appendfsync", "everysec"];
    const log = await disk.starting(() => startRedis({ kind: "log", args }));
    const stack = await startStack({ partitions: PARTITIONS, consumers, reach: async () => ({ log }) });
    const [api] = stack.apis;
    if (!api) throw new Error("there should be an API");
    return { disk, log, stack, api, client: httpClient(api.url) };
  }

  /** Writes until the log holds a hundred in memory alone. Returns what was acknowledged meanwhile. */
  async function writeWhatIsNotWritten(log: RedisServer, client: HttpClient): Promise<Revision[]> {
    const redis = openRedis(log);
    const revisions: Revision[] = [];
    const put = async () => void revisions.push(accepted(await client.put("lost", `key-${revisions.length}`, "x")));
    const unwritten = async () => /^aof_buffer_length:[1-9]/m.test(await redis.info("persistence"));
    const written = async () => /^aof_delayed_fsync:(\d+)/m.exec(await redis.info("persistence"))?.[1];
    for (;;) {
      const before = await written();
      await put();
      if (!(await unwritten())) continue;
      await eachOf(Array(HELD_BACK).fill(null), 8, put);
      // Two seconds later it writes all the same: then once more.
      if ((await unwritten()) && (await written()) === before) return revisions;
    }
  }

  /** How many of them the log does not hold, by partition. */
  async function lostOf(revisions: readonly Revision[], log: RedisServer): Promise<number[]> {
    const held = new Set((await readLog(log, PARTITIONS).all()).map(({ partition, id }) => `${partition} ${id}`));
    return AFTER.map(
      (_, of) => revisions.filter(({ partition, id }) => partition === of && !held.has(`${partition} ${id}`)).length,
    );
  }

  const sum = (lost: readonly number[]) => lost.reduce((total, count) => total + count, 0);
  /** What the lines of a process with this text count, by partition. */
  const toldIn = (lines: readonly string[], text: string, field: string): number[] =>
    AFTER.map((_, of) =>
      sum(
        lines
          .filter((line) => line.includes(text))
          .map((line) => JSON.parse(line) as Record<string, number>)
          .filter(({ partition }) => partition === of)
          .map((line) => line[field] ?? 0),
      ),
    );

  test.skipIf(disk === null)(
    "by the consumer, from the jump in the producer's sequence, and by the API, from the ordinals",
    async () => {
      const { disk, log, stack, api, client } = await start(1);
      for (const key of AFTER) applied(await client.put("lost", key, "before", WAIT));
      await stack.consumers[0]?.kill();
      disk.slow();
      const revisions = await writeWhatIsNotWritten(log, client);
      await log.kill();
      await log.restart();
      const lost = await lostOf(revisions, log);
      expect(sum(lost)).toBeGreaterThanOrEqual(HELD_BACK);

      for (const key of AFTER) await waitFor(async () => accepted(await client.put("lost", key, "after")));
      const consumer = await stack.addConsumer();
      await watchPartitions(stack.url).drained();
      expect(await metricOf(consumer, "millrace_commands_lost_total")).toBe(sum(lost));
      await expect.poll(() => toldIn(consumer.logs(), "the log has lost commands", "jumped")).toEqual(lost);
      expect(await metricOf(api, "millrace_log_commands_gone_total")).toBe(sum(lost));
      await expect.poll(() => toldIn(api.logs(), "the log went back", "commands")).toEqual(lost);
      for (const key of AFTER) expect((await client.get("lost", key)).text).toBe("after");
    },
  );

  test.skipIf(disk === null)(
    "by both, also when the log was frozen first, and the API goes on under a new producer name",
    async () => {
      const { disk, log, stack, api, client } = await start(0);
      for (const key of AFTER) accepted(await client.put("lost", key, "before"));
      disk.slow();
      const revisions = await writeWhatIsNotWritten(log, client);
      // A group whose outcome nobody knows is given up: what comes after it has another producer name.
      log.pause();
      const given = await Promise.all(AFTER.map((key) => client.put("lost", key, "given up")));
      for (const { text } of given) expect(text).toContain("outcome-unknown");
      await log.kill();
      await log.restart();
      const lost = await lostOf(revisions, log);
      expect(sum(lost)).toBeGreaterThanOrEqual(HELD_BACK);

      for (const key of AFTER) await waitFor(async () => accepted(await client.put("lost", key, "after")));
      expect(await metricOf(api, "millrace_log_commands_gone_total")).toBe(sum(lost));
      await expect.poll(() => toldIn(api.logs(), "the log went back", "commands")).toEqual(lost);
      const consumer = await stack.addConsumer();
      await watchPartitions(stack.url).drained();
      expect(await metricOf(consumer, "millrace_commands_lost_total")).toBe(sum(lost));
    },
  );
});
