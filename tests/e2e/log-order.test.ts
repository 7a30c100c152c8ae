import { expect, test } from "vitest";
import { parseAppliedMessage } from "../../core/functions/apply.ts";
import { alongside, eachOf, keepDoing } from "../harness/crowd.ts";
import { accepted, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { type LogEntry, openRedis, readLog } from "../harness/log-reader.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 8;
const KEYS = Array.from({ length: 50 }, (_, index) => `key-${index}`);
const WRITES_PER_KEY = 200;
const COUNTS_PER_KEY = 20;
const STEPS_MIN = 10;

/** The order in which each partition's watermark went through the log, as the store told it. */
async function watchApplied(stack: Stack): Promise<ReadonlyMap<string, number[]>> {
  const store = readStore(stack.store, PARTITIONS);
  const seen = new Map(
    Array.from({ length: PARTITIONS }, (_, partition) => [store.keys(partition).applied, [] as number[]]),
  );
  const subscriber = openRedis(stack.store);
  subscriber.on("message", (channel: string, message: string) => {
    seen.get(channel)?.push(parseAppliedMessage(message).watermark.ordinal);
  });
  await subscriber.subscribe(...seen.keys());
  return seen;
}

test("the last value of every key, and the order in which its revisions are applied, are the log's, while consumers come and go", async () => {
  // The lease is long: every partition that moves is handed over, and no consumer is missing.
  const stack = await startStack({
    partitions: PARTITIONS,
    apis: 2,
    consumers: 2,
    env: { MILLRACE_LEASE_MS: "20000" },
  });
  const clients = stack.apis.map(({ url }) => httpClient(url));
  const clientOf = (index: number) => clients[index % 2] ?? httpClient(stack.url);
  const partitions = watchPartitions(stack.url);
  const applied = await watchApplied(stack);

  const join = async (): Promise<void> => {
    await stack.addConsumer();
  };
  const leave = async (): Promise<void> => {
    expect(await stack.consumers.find(({ running }) => running)?.stop()).toBe(0);
  };
  const pace = alongside(1_500, [join, leave, join, leave, join, leave]);

  // Readers look at each key over and over: what they see of it must never go back.
  const looks = new Map(KEYS.map((key) => [key, [] as string[]]));
  const readers = keepDoing(1, async (index) => {
    const key = KEYS[index % KEYS.length] ?? "";
    const answer = await clientOf(index).get("order", key);
    if (answer.status === 200) looks.get(key)?.push(revisionOf(answer).text);
  });

  const writes = KEYS.flatMap((key) => [
    ...Array.from({ length: WRITES_PER_KEY }, (_, n) => ({ key, value: `${key} ${n}`, by: "" })),
    ...Array.from({ length: COUNTS_PER_KEY }, (_, n) => ({ key, value: "", by: String(n + 1) })),
  ]);
  // Neighbours in this list are of different keys.
  const interleaved = writes.map(
    (_, index) => writes[(index * 7_919) % writes.length] ?? { key: "", value: "", by: "" },
  );
  const revisions = await eachOf(interleaved, 48, async ({ key, value, by }, index) => {
    await pace(index);
    const client = clientOf(index);
    return accepted(await (by === "" ? client.put("order", key, value) : client.increment("counts", key, by))).text;
  });
  // Until the watermark of each partition has moved often enough.
  while (Math.min(...[...applied.values()].map(({ length }) => length)) <= STEPS_MIN) {
    revisions.push(
      ...(await Promise.all(
        KEYS.map(async (key, index) => revisionOf(await clientOf(index).put("order", key, "more", WAIT)).text),
      )),
    );
  }
  await partitions.drained();
  await waitFor(() => readers.count > 2 * KEYS.length, { what: "each key was read over and over" });
  await readers.stop();

  const log = await readLog(stack.log, PARTITIONS).all();
  expect(log.map(({ revision }) => revision).toSorted()).toEqual(revisions.toSorted());
  const place = new Map(log.map(({ revision }, index) => [revision, index]));
  for (const key of KEYS) {
    const last = log.findLast((entry) => entry.namespace === "order" && entry.key === key);
    const answer = await clientOf(0).get("order", key);
    expect(answer.text).toBe(last?.body);
    expect(revisionOf(answer).text).toBe(last?.revision);

    const places = looks.get(key)?.map((revision) => place.get(revision)) ?? [];
    expect(places).toEqual(places.toSorted((a = -1, b = -1) => a - b));
  }
  for (const ordinals of applied.values()) {
    expect(ordinals).toEqual([...new Set(ordinals)].toSorted((a, b) => a - b));
  }
  await expectCountsInLogOrder(stack, log);
});

/** A counter's value after a command tells which commands were applied before it: all earlier ones, and no other. */
async function expectCountsInLogOrder(stack: Stack, log: readonly LogEntry[]): Promise<void> {
  const store = readStore(stack.store, PARTITIONS);
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const told = new Map(
      (await store.redis.xrange(store.keys(partition).outcomes, "-", "+")).map(([id, fields]) => [id, fields[1]]),
    );
    const sums = new Map<string, bigint>();
    for (const entry of log.filter((each) => each.partition === partition && each.operation === "increment")) {
      const sum = (sums.get(entry.key) ?? 0n) + entry.by;
      sums.set(entry.key, sum);
      expect(told.get(entry.id)).toBe(`applied counted ${sum}`);
    }
  }
}
