import { expect, test } from "vitest";
import { pause } from "../../core/pause.ts";
import { httpClient } from "../harness/http.ts";
import { readLog } from "../harness/log-reader.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { openProducer } from "../harness/producer.ts";
import { startProxy } from "../harness/proxy.ts";
import { startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const COMMANDS = 240;
/** Whoever has not come there by then is not on his way there any more: his patience with the frozen store is over. */
const ON_ITS_WAY_MS = 10_000;
/** So many have been given to it when it has its third batch: it asks for 64, then for twice as many each time. */
const THIRD_BATCH = 64 + 128 + 1;

test("a consumer outlives its connection to the log that breaks while the store hangs, and goes on by itself", async () => {
  const stack = await startStack({ partitions: 1, consumers: 0 });
  const proxies = { log: await startProxy(stack.log), store: await startProxy(stack.store) };
  const start = async () => {
    const asking = proxies.log.onReply("XREADGROUP", "forward");
    const started = await stack.addConsumer(proxies);
    await asking.fired;
    return started;
  };
  let consumer = await start();
  const log = readLog(stack.log, 1);
  const client = httpClient(stack.url);
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
  const producer = await openProducer(stack.log, 1);
  let written = 0;
  const isOutstanding = async (): Promise<boolean> => {
    proxies.store.freeze();
    // All at once: the consumer finds full batches one after the other.
    await producer.increments(0, "broken", "counter", 1 + written, COMMANDS);
    written += COMMANDS;
    return Promise.race([outstanding.then(() => true), pause(ON_ITS_WAY_MS).then(() => false)]);
  };
  while (!(await isOutstanding())) {
    proxies.store.thaw();
    await watchPartitions(stack.url).drained();
    // Another one begins with small batches again.
    await consumer.stop();
    consumer = await start();
  }
  proxies.log.cutAll();
  proxies.store.thaw();

  await watchPartitions(stack.url).drained();
  expect((await client.get("broken", "counter")).text).toBe(String(written));
  await waitFor(async () => (await log.pending(0)).length === 0, { what: "nothing left unacked" });
  expect(consumer.running).toBe(true);
});
