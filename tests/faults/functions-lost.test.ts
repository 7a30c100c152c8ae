import { expect, test } from "vitest";
import { keepDoing } from "../harness/crowd.ts";
import { applied, httpClient, WAIT } from "../harness/http.ts";
import { readLog } from "../harness/log-reader.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;

test("writes and applies go on when both Redises lose our functions, with no failure and nothing doubled", async () => {
  const stack = await startStack({ partitions: PARTITIONS, consumers: 2 });
  const client = httpClient(stack.url);
  const servers = [readLog(stack.log, PARTITIONS).redis, readStore(stack.store, PARTITIONS).redis];
  const libraries = async () => Promise.all(servers.map(async (server) => (await server.function("LIST")).length));
  expect(await libraries()).toEqual([1, 1]);

  const load = keepDoing(8, async (index) => {
    applied(await client.increment("functions", `counter-${index % 8}`, "1", WAIT));
  });
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(servers.map((server) => server.function("FLUSH")));
    const count = load.count;
    await waitFor(() => load.count > count + 50, { what: "more writes applied" });
    expect(await libraries()).toEqual([1, 1]);
  }
  await load.stop();

  await watchPartitions(stack.url).drained();
  const values = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => Number((await client.get("functions", `counter-${index}`)).text)),
  );
  expect(values.reduce((sum, value) => sum + value, 0)).toBe(load.count);
});
