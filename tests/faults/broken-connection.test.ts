import { expect, test } from "vitest";
import { eachOf } from "../harness/crowd.ts";
import { accepted, httpClient } from "../harness/http.ts";
import { readLog } from "../harness/log-reader.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startProxy } from "../harness/proxy.ts";
import { startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const COMMANDS = 500;
/** So many have been given to it when it has its third batch: it asks for 64, then for twice as many each time. */
const THIRD_BATCH = 64 + 128 + 1;

test("a consumer outlives its connection to the log that breaks while the store hangs, and goes on by itself", async () => {
  const stack = await startStack({ partitions: 1, consumers: 0 });
  const proxies = { log: await startProxy(stack.log), store: await startProxy(stack.store) };
  const asking = proxies.log.onReply("XREADGROUP", "forward");
  const consumer = await stack.addConsumer(proxies);
  await asking.fired;
  const log = readLog(stack.log, 1);
  const client = httpClient(stack.url);
  // What is written now waits for the consumer, which then finds full batches one after the other.
  proxies.log.freeze();
  proxies.store.freeze();
  await eachOf(Array.from({ length: COMMANDS }), 32, async () => accepted(await client.increment("broken", "counter")));

  // Two applies hang on their way, a third batch waits behind them, and one more read is outstanding.
  const outstanding = new Promise<void>((resolve) => {
    const arm = (): void =>
      void proxies.log.onReply("XREADGROUP", async () => {
        if ((await log.pending(0)).length < THIRD_BATCH) arm();
        else proxies.log.onRequest("XREADGROUP", "drop").fired.then(resolve, () => undefined);
        return "forward";
      });
    arm();
  });
  proxies.log.thaw();
  await outstanding;
  proxies.log.cutAll();
  proxies.store.thaw();

  await watchPartitions(stack.url).drained();
  expect((await client.get("broken", "counter")).text).toBe(String(COMMANDS));
  await waitFor(async () => (await log.pending(0)).length === 0, { what: "nothing left unacked" });
  expect(consumer.running).toBe(true);
});
