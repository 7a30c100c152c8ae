import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { encodeHeader } from "../../core/codec.ts";
import { idAfter } from "../../core/entry-id.ts";
import { applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { type LogReader, readLog } from "../harness/log-reader.ts";
import { remember } from "../harness/older-copy.ts";
import { type Partitions, watchPartitions } from "../harness/partitions.ts";
import type { ConsumerProcess } from "../harness/process.ts";
import { incrementOf, openProducer, type Producer } from "../harness/producer.ts";
import { type Action, type ArmedHook, type RedisProxy, startProxy } from "../harness/proxy.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore, type StoreReader } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const NAMESPACE = "went-back";
/** Commands that the log forgets although they are applied. */
const FORGOTTEN = 10;

let stack: Stack;
let client: HttpClient;
let partitions: Partitions;
let log: LogReader;
let store: StoreReader;
let logProxy: RedisProxy;
let storeProxy: RedisProxy;

beforeAll(async () => {
  stack = await startStack({ partitions: 1, consumers: 0, env: { MILLRACE_LEASE_MS: "600" } });
  client = httpClient(stack.url);
  partitions = watchPartitions(stack.url);
  log = readLog(stack.log, 1);
  store = readStore(stack.store, 1);
  [logProxy, storeProxy] = await Promise.all([startProxy(stack.log), startProxy(stack.store)]);
});

/** What a failed test has left running would work the partition of the next. */
afterEach(async () => {
  await Promise.all(stack.consumers.map((consumer) => consumer.kill()));
});

let keys = 0;
const newKey = () => {
  keys += 1;
  return `counter-${keys}`;
};
const counted = async (key: string) => (await client.get(NAMESPACE, key)).text;
const startConsumer = () => stack.addConsumer({ log: logProxy, store: storeProxy });

/** No consumer runs; the store has applied 10 increments of the key that the log holds, and 10 that it has forgotten. */
async function forgetful(key: string): Promise<Producer> {
  const producer = await openProducer(stack.log, 1);
  const consumer = await startConsumer();
  await producer.increments(0, NAMESPACE, key, 1, FORGOTTEN);
  await partitions.drained();
  const forget = await remember(stack.log);
  await producer.increments(0, NAMESPACE, key, 1 + FORGOTTEN, FORGOTTEN);
  await waitFor(async () => (await partitions.drained()) && (await counted(key)) === String(2 * FORGOTTEN));
  await consumer.stop();
  await forget();
  return producer;
}

/** Entries as an older log with a slow clock would have made them: ids right after its last one, dense ordinals. */
async function appendWithOldIds(key: string, count: number): Promise<void> {
  const { log: stream, appends } = log.keys(0);
  const [last] = await log.redis.xrevrange(stream, "+", "-", "COUNT", 1);
  const first = Number(await log.redis.hget(appends, "@ordinal")) + 1;
  const producer = randomUUID();
  const id = (offset: number) => idAfter(last?.[0] ?? "", 1 + offset);
  for (let n = 0; n < count; n += 1) {
    const header = encodeHeader(incrementOf(NAMESPACE, key), producer, 1 + n);
    await log.redis.xadd(stream, id(n), "v1", `${first + n} ${header}`, "b", "");
  }
  const group = `1 ${count} ${id(0)} ${first}`;
  await log.redis.hset(appends, "@ordinal", first + count - 1, "@last", id(count - 1), producer, group);
  expect((await store.watermark(0)).id > id(count)).toBe(true);
}

/** A consumer comes, finds the log older than the store, and brings it into line. */
async function expectHealed(key: string, count: number): Promise<string> {
  const consumer = await startConsumer();
  const line = await consumer.waitForLog("the log had gone back");
  await expectCounted(key, count);
  await consumer.stop();
  return line;
}

async function expectCounted(key: string, count: number): Promise<void> {
  await partitions.inState(0, "ok");
  await partitions.drained();
  expect(await counted(key)).toBe(String(count));
  await waitFor(async () => (await log.pending(0)).length === 0, { what: "nothing pending" });
  applied(
    await waitFor(async () => {
      const answer = await client.put(NAMESPACE, "after", key, WAIT);
      return answer.status < 300 && answer;
    }),
  );
}

describe("a log that went back is brought into line with its store, each command counted once:", () => {
  test("it has lost its end, and nothing new has come", async () => {
    const key = newKey();
    await forgetful(key);
    const line = await expectHealed(key, 2 * FORGOTTEN);
    expect(JSON.parse(line)).toMatchObject({ lost: FORGOTTEN, reappended: 0 });
    const [view] = await partitions.view();
    expect(view).toMatchObject({ reconciled: { lost: FORGOTTEN, reappended: 0 } });
  });

  test("the older log has taken new commands before anybody noticed, under newer ids", async () => {
    const key = newKey();
    await forgetful(key);
    await (await openProducer(stack.log, 1)).increments(0, NAMESPACE, key, 1, 5);
    expect(JSON.parse(await expectHealed(key, 2 * FORGOTTEN + 5))).toMatchObject({ lost: FORGOTTEN, reappended: 5 });
  });

  test("an API has had commands accepted by the older log: each 202 is counted once", async () => {
    let accepted = 0;
    // An API that has looked before refuses them all, as it should: then the log goes back once more.
    while (accepted === 0) {
      const key = newKey();
      await forgetful(key);
      const before = (await log.entries(0)).length;
      await waitFor(async () => {
        const answers = await Promise.all(Array.from({ length: 20 }, () => client.increment(NAMESPACE, key)));
        accepted += answers.filter(({ status }) => status === 202).length;
        return accepted > 0 || answers.some(({ text }) => text.includes("partition-halted"));
      });
      // Those among them whose fate nobody knows may be there, too.
      const taken = (await log.entries(0)).length - before;
      expect(taken).toBeGreaterThanOrEqual(accepted);
      expect(JSON.parse(await expectHealed(key, 2 * FORGOTTEN + taken))).toMatchObject({ reappended: taken });
    }
  });

  test("the older log has grown past the store", async () => {
    const key = newKey();
    await forgetful(key);
    await (await openProducer(stack.log, 1)).increments(0, NAMESPACE, key, 1, 3 * FORGOTTEN);
    await expectHealed(key, 5 * FORGOTTEN);
  });

  test("it has taken commands under ids that the watermark has passed: its clock was slow", async () => {
    const key = newKey();
    await forgetful(key);
    await appendWithOldIds(key, 5);
    expect(JSON.parse(await expectHealed(key, 2 * FORGOTTEN + 5))).toMatchObject({ reappended: 5 });
  });

  test("its counts happen to fit: another command stands where the store's last one stood", async () => {
    const key = newKey();
    await forgetful(key);
    await appendWithOldIds(key, FORGOTTEN);
    await (await openProducer(stack.log, 1)).increments(0, NAMESPACE, key, 1, 5);
    const [above] = await log.redis.xrange(log.keys(0).log, `(${(await store.watermark(0)).id}`, "+", "COUNT", 1);
    expect(above?.[1][1]).toMatch(new RegExp(`^${(await store.watermark(0)).ordinal + 1} `));
    expect(JSON.parse(await expectHealed(key, 3 * FORGOTTEN + 5))).toMatchObject({ reappended: FORGOTTEN + 5 });
  });

  test("a producer sends again what the store has applied and the log has forgotten, and goes on", async () => {
    const key = newKey();
    const producer = await forgetful(key);
    await producer.increments(0, NAMESPACE, key, 1 + FORGOTTEN, FORGOTTEN);
    await producer.increments(0, NAMESPACE, key, 1 + 2 * FORGOTTEN, 5);
    const line = await expectHealed(key, 2 * FORGOTTEN + 5);
    expect(JSON.parse(line)).toMatchObject({ lost: 0, reappended: 5, dropped: FORGOTTEN });
  });

  test("it is empty", async () => {
    const key = newKey();
    const producer = await forgetful(key);
    await stack.log.wipe();
    await producer.increments(0, NAMESPACE, key, 1 + 2 * FORGOTTEN, 5);
    await expectHealed(key, 2 * FORGOTTEN + 5);
  });

  test("its owner lives on and sees it happen", async () => {
    const key = newKey();
    const producer = await forgetful(key);
    await expectHealed(key, 2 * FORGOTTEN);
    const consumer = await startConsumer();
    await partitions.inState(0, "ok");
    const forget = await remember(stack.log);
    await producer.increments(0, NAMESPACE, key, 1 + 2 * FORGOTTEN, 5);
    await waitFor(async () => (await counted(key)) === String(2 * FORGOTTEN + 5));
    await forget();
    await consumer.waitForLog("the log had gone back");
    await expectCounted(key, 2 * FORGOTTEN + 5);
    await consumer.stop();
  });
});

test("while the log is brought into line writes are refused, reads go on, and both are told; then writes go on", async () => {
  const key = newKey();
  const producer = await forgetful(key);
  await producer.increments(0, NAMESPACE, key, 1 + 2 * FORGOTTEN, 5);
  let goOn = () => undefined as unknown;
  let atTheEnd = () => undefined as unknown;
  const held = new Promise((resolve) => {
    goOn = () => resolve(undefined);
  });
  const reached = new Promise((resolve) => {
    atTheEnd = () => resolve(undefined);
  });
  let holding = true;
  void held.then(() => {
    holding = false;
  });
  const arm = (): void =>
    void logProxy.onRequest("$16\r\nunfence_", async () => {
      // Its sender may try again.
      if (holding) arm();
      atTheEnd();
      await held;
      return "forward";
    });
  arm();
  const consumer = await startConsumer();
  await reached;
  await partitions.inState(0, "frozen");
  const refused = await waitFor(async () => {
    const answer = await client.put(NAMESPACE, "refused", "x");
    return answer.text.includes("partition-halted") && answer;
  });
  expect(refused.status).toBe(503);
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  expect(await counted(key)).toBe(String(2 * FORGOTTEN));
  for (const { opsUrl } of [consumer, ...stack.apis]) {
    const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
    expect(metrics).toContain('millrace_partition_state{partition="0",state="frozen"} 1');
    expect(metrics).toMatch(/millrace_partition_state_entered_total\{state="frozen"\} [1-9]/);
    const ready = (await (await fetch(`${opsUrl}/healthz/ready`)).json()) as { states: unknown };
    expect(ready.states).toEqual({ frozen: 1 });
  }
  goOn();
  await expectCounted(key, 2 * FORGOTTEN + 5);
  const metrics = await (await fetch(`${consumer.opsUrl}/metrics`)).text();
  expect(metrics).toContain("millrace_log_reconciliations_total 1\n");
  expect(metrics).toContain("millrace_commands_reappended_total 5\n");
  await consumer.stop();
});

interface Step {
  readonly name: string;
  readonly arm: (action: Action) => ArmedHook;
}

const steps: readonly Step[] = [
  { name: "before the fence", arm: (action) => logProxy.onRequest("$14\r\nfence_", action) },
  { name: "behind the fence", arm: (action) => logProxy.onReply("$14\r\nfence_", action) },
  { name: "when it has told those who wait", arm: (action) => storeProxy.onReply("PUBLISH", action) },
  { name: "when it knows what the store knows", arm: (action) => storeProxy.onReply("HGETALL", action) },
  { name: "before it moves anything", arm: (action) => logProxy.onRequest("$13\r\nmove_", action) },
  {
    name: "when a page is moved and it has not heard of it",
    arm: (action) => logProxy.onReply("$13\r\nmove_", action),
  },
  { name: "when everything is moved", arm: (action) => logProxy.onRequest("$16\r\nunfence_", action) },
  {
    name: "when the fence is gone and it has not heard of it",
    arm: (action) => logProxy.onReply("$16\r\nunfence_", action),
  },
  { name: "when what was moved is being applied", arm: (action) => storeProxy.onReply("$14\r\napply_", action) },
];

describe("a consumer killed while it brings the log into line loses and doubles nothing:", () => {
  test.each(steps)("$name", async ({ arm }) => {
    const key = newKey();
    const producer = await forgetful(key);
    // More than one page, from two producers whose commands take turns.
    const other = await openProducer(stack.log, 1);
    for (let n = 0; n < 20; n += 1) {
      await producer.increments(0, NAMESPACE, key, 1 + 2 * FORGOTTEN + 5 * n, 5);
      await other.increments(0, NAMESPACE, key, 1 + 5 * n, 5);
    }
    let consumer: ConsumerProcess | undefined;
    const kill = arm(async () => {
      await consumer?.kill();
      return "cut";
    });
    consumer = await stack.addConsumer({ log: logProxy, store: storeProxy, waitReady: false });
    await kill.fired;
    const next = await startConsumer();
    await expectCounted(key, 2 * FORGOTTEN + 200);
    expect(await (await fetch(`${next.opsUrl}/metrics`)).text()).toContain("millrace_commands_lost_total 0\n");
    await next.stop();
  });
});
