import { expect, test } from "vitest";
import { accepted, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { startApi } from "../harness/process.ts";
import { startRedis } from "../harness/redis-server.ts";
import { setNamespace } from "../harness/settings.ts";
import { startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 2;
const gradeOf = async (client: HttpClient) => (await client.put("safe", "k", "v")).headers["millrace-grade"];

test("a store that is away, or came back empty, never makes a process go by lesser settings: the running one keeps them, a new one takes no write until it has them", async () => {
  const log = await startRedis({ kind: "log", args: ["--appendfsync", "always"] });
  const stack = await startStack({ partitions: PARTITIONS, reach: async () => ({ log }) });
  const running = httpClient(stack.url);
  await setNamespace(running, "safe", { grade: "disk" });
  await waitFor(async () => (await gradeOf(running)) === "disk");

  const env = { MILLRACE_PARTITIONS: String(PARTITIONS) };
  const refused = async (client: HttpClient) => {
    const answer = await client.put("safe", "k", "v");
    expect([answer.status, answer.text]).toEqual([503, expect.stringContaining("/problems/settings-unknown")]);
    expect(answer.headers["retry-after"]).toBe("1");
  };
  await stack.store.kill();
  expect(await gradeOf(running)).toBe("disk");
  const first = httpClient((await startApi({ log, store: stack.store, env })).url);
  await refused(first);

  // Nobody heals it: it stays empty until a consumer is there again.
  await stack.consumers[0]?.kill();
  await stack.store.restart();
  await waitFor(async () => accepted(await first.put("safe", "k", "v")), { what: "the settings are read" });
  expect(await gradeOf(first)).toBe("disk");
  const { redis } = readStore(stack.store, PARTITIONS);
  await redis.flushall();
  const second = httpClient((await startApi({ log, store: stack.store, env })).url);
  await refused(second);
  expect(await gradeOf(running)).toBe("disk");
  expect(await gradeOf(first)).toBe("disk");

  await stack.addConsumer();
  await waitFor(async () => (await gradeOf(second)) === "disk", { what: "the store is healed" });
  expect((await second.put("safe", "k", "v", WAIT)).status).toBe(204);
});
