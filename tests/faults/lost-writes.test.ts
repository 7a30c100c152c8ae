import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { accepted, applied, httpClient, WAIT } from "../harness/http.ts";
import { readLog } from "../harness/log-reader.ts";
import type { RedisServer } from "../harness/redis-server.ts";
import { cleanUpLater } from "../harness/running.ts";
import { startStack } from "../harness/stack.ts";

const LOST = 10;

/** Takes a copy of a server's files now, and returns how to put it back: the server forgets all that came after. */
async function remember(server: RedisServer): Promise<() => Promise<void>> {
  const copy = await mkdtemp(join(tmpdir(), "millrace-copy-"));
  cleanUpLater(() => rm(copy, { recursive: true, force: true }));
  await server.stop();
  await cp(server.dir, copy, { recursive: true });
  await server.restart();
  return async () => {
    await server.kill();
    for (const name of await readdir(server.dir)) await rm(join(server.dir, name), { recursive: true });
    await cp(copy, server.dir, { recursive: true });
    await server.restart();
  };
}

test("accepted writes that the log has lost before they were applied are counted and told, never passed over in silence", async () => {
  const stack = await startStack({ partitions: 1, consumers: 0 });
  const client = httpClient(stack.url);
  const put = async (key: string) => accepted(await client.put("lost", key, key));
  await put("kept");
  const forget = await remember(stack.log);
  await expect.poll(() => put("first").catch(() => null)).not.toBeNull();
  for (let n = 1; n < LOST; n += 1) await put(`lost-${n}`);
  expect(await readLog(stack.log, 1).entries(0)).toHaveLength(1 + LOST);
  await forget();

  const consumer = await stack.addConsumer();
  await expect.poll(() => put("after").catch(() => null)).not.toBeNull();
  applied(await client.put("lost", "last", "last", WAIT));
  await consumer.waitForLog(`"jumped":${LOST}`);
  const metrics = await (await fetch(`${consumer.opsUrl}/metrics`)).text();
  expect(metrics).toContain(`millrace_commands_lost_total ${LOST}\n`);
  expect((await client.get("lost", "kept")).text).toBe("kept");
});
