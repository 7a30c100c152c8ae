import { beforeAll, describe, expect, test } from "vitest";
import { BATCH_LINE_MAX_BYTES, BATCH_WINDOW_MAX_ITEMS } from "../../core/limits.ts";
import { type LineResult, openLineBatch } from "../harness/batch-lines.ts";
import { type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { type LogReader, readLog } from "../harness/log-reader.ts";
import { metricOf } from "../harness/metrics.ts";
import type { ApiProcess, ConsumerProcess } from "../harness/process.ts";
import { residentMib } from "../harness/resident-memory.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;

let stack: Stack;
let api: ApiProcess;
let consumer: ConsumerProcess;
let client: HttpClient;
let log: LogReader;

beforeAll(async () => {
  stack = await startStack({ partitions: PARTITIONS });
  const [anApi, aConsumer] = [stack.apis[0], stack.consumers[0]];
  if (!anApi || !aConsumer) throw new Error("an API and a consumer are needed");
  [api, consumer] = [anApi, aConsumer];
  client = httpClient(stack.url);
  log = readLog(stack.log, PARTITIONS);
});

const open = (headers: Record<string, string> = WAIT.headers) => openLineBatch(stack.url, "lines", headers);
const waiters = () => metricOf(api, "millrace_waiters");

async function collect(results: AsyncIterable<LineResult>): Promise<LineResult[]> {
  const all = [];
  for await (const result of results) all.push(result);
  return all;
}

test("each result comes as soon as it is known, while the client still thinks of its next line", async () => {
  const batch = open();
  const results = batch.results();
  for (let line = 1; line <= 5; line += 1) {
    await batch.send({ op: "increment", key: "talk", by: 1 });
    expect((await results.next()).value).toMatchObject({ status: 200, value: String(line) });
  }
  batch.end();
  expect((await results.next()).done).toBe(true);
  const { statusCode, headers } = await batch.answer;
  expect([statusCode, headers["content-type"], headers["preference-applied"]]).toEqual([
    ...[200, "application/x-ndjson", "wait=10"],
  ]);
});

test("a bad line is told in its place, and the others go on", async () => {
  const batch = open();
  const put = (key: string) => JSON.stringify({ op: "put", key, value: "v" });
  batch.outgoing.write(`${put("good-1")}\r\n\n \n{"op":"put"\n`);
  batch.outgoing.write(Buffer.concat([Buffer.from('{"op":"put","key":"'), Buffer.from([0xff]), Buffer.from('"}\n')]));
  batch.outgoing.write(`${JSON.stringify({ op: "put", key: "long", value: "x".repeat(BATCH_LINE_MAX_BYTES) })}\n`);
  batch.outgoing.write(`${JSON.stringify({ op: "put", key: "large", value: "x".repeat(1024 * 1024 + 1) })}\n`);
  batch.outgoing.end(put("good-2"));
  const results = await collect(batch.results());
  expect(results.map(({ status, problem }) => problem?.type ?? status)).toEqual([
    201,
    ...Array.from({ length: 3 }, () => "/problems/invalid-operation"),
    ...Array.from({ length: 2 }, () => "/problems/value-too-large"),
    201,
  ]);
});

test("the largest value there may be fits in a line", async () => {
  const batch = open();
  await batch.send({
    op: "put",
    key: "largest",
    value: Buffer.alloc(1024 * 1024, 7).toString("base64"),
    encoding: "base64",
  });
  batch.end();
  expect((await collect(batch.results())).map(({ status }) => status)).toEqual([201]);
  expect((await client.get("lines", "largest")).body).toHaveLength(1024 * 1024);
});

test("fifty thousand lines take no more memory than twenty thousand, and are applied in their order", async () => {
  const LINES = 50_000;
  /** By then the process has its caches and heap for any number of lines. */
  const WARM = 20_000;
  const KEYS = 50;
  const value = "x".repeat(2_000);
  const batch = open();
  const sent = (async () => {
    for (let line = 0; line < LINES; line += 1)
      await batch.send({ op: "put", key: `k${line % KEYS}`, value, metadata: line });
    batch.end();
  })();
  let [count, before, most] = [0, 0, 0];
  for await (const { status } of batch.results()) {
    // 200: applied, and the broadcast that says how was missed.
    expect([200, 201, 204]).toContain(status);
    count += 1;
    if (count === WARM) before = await residentMib(api);
    else if (count > WARM && count % 1_000 === 0) most = Math.max(most, await residentMib(api));
  }
  await sent;
  expect(count).toBe(LINES);
  // The lines after that are 60 MB.
  expect(most - before).toBeLessThan(40);
  for (let key = 0; key < KEYS; key += 1) {
    const { headers } = await client.get("lines", `k${key}`);
    expect(headers["millrace-metadata"]).toBe(String(LINES - KEYS + key));
  }
}, 120_000);

describe("backpressure:", () => {
  test("while nothing is applied no more is read than the window holds, and then all of it", async () => {
    const LINES = 5_000;
    const before = (await log.all()).length;
    consumer.pause();
    const batch = open();
    for (let line = 0; line < LINES; line += 1) batch.outgoing.write('{"op":"increment","key":"held","by":1}\n');
    batch.end();
    const collected = collect(batch.results());
    await waitFor(async () => (await waiters()) === BATCH_WINDOW_MAX_ITEMS);
    // A request on another connection is answered after all that this one has brought.
    await client.get("lines", "none");
    const appended = (await log.all()).length - before;
    expect([await waiters(), appended]).toEqual([BATCH_WINDOW_MAX_ITEMS, BATCH_WINDOW_MAX_ITEMS]);
    consumer.resume();
    expect((await collected).map(({ value }) => value)).toEqual(Array.from({ length: LINES }, (_, i) => String(i + 1)));
  });

  test("a client that does not read its results is not read from either, until it does", async () => {
    const LINES = 200_000;
    const TOGETHER = 100;
    const told = () => metricOf(api, 'millrace_http_problems_total{type="invalid-operation"}');
    const before = await told();
    const batch = open();
    const sent = (async () => {
      const lines = Array.from({ length: TOGETHER }, () => '{"op":"none"}').join("\n");
      for (let line = 0; line < LINES; line += TOGETHER) await batch.send(lines);
      batch.end();
    })();
    let seen = 0;
    const standsStill = async () => {
      const still = seen > 0 && seen === (await told()) - before;
      seen = (await told()) - before;
      return still;
    };
    // What both systems keep for the connection is some MiB of results; then nothing moves any more.
    await expect.poll(standsStill, { interval: 1_500 }).toBe(true);
    expect(seen).toBeLessThan(LINES);
    expect(await collect(batch.results())).toHaveLength(LINES);
    await sent;
  });
});

describe("a client that goes away in the middle leaves nothing behind but what was accepted", () => {
  test.each([
    ["while more is read", "left", 300, 30],
    // Nobody listens to a connection that is not read: it is found out when the first results are sent.
    ["while the window is full", "left-full", 2_000, 2],
  ])("%s", async (_, key, lines, waitS) => {
    consumer.pause();
    try {
      const batch = open({ prefer: `wait=${waitS}` });
      for (let line = 0; line < lines; line += 1) batch.outgoing.write(`{"op":"increment","key":"${key}","by":1}\n`);
      await waitFor(async () => (await waiters()) === Math.min(lines, BATCH_WINDOW_MAX_ITEMS));
      batch.outgoing.destroy();
      await waitFor(async () => (await waiters()) === 0);
    } finally {
      consumer.resume();
    }
    const accepted = async () => (await log.all()).filter((entry) => entry.key === key).length;
    await waitFor(
      async () => (await waiters()) === 0 && (await client.get("lines", key)).text === String(await accepted()),
    );
    expect(await accepted()).toBeGreaterThanOrEqual(Math.min(lines, BATCH_WINDOW_MAX_ITEMS));
  });
});

test("a batch that breaks off is answered by a cut, never by an end that looks whole", async () => {
  const batch = open();
  const results = batch.results();
  await batch.send({ op: "increment", key: "cut", by: 1 });
  expect((await results.next()).value).toMatchObject({ value: "1" });
  // No chunk of HTTP begins like this.
  (await batch.answer).socket.write("no chunk\r\n");
  await expect(results.next().then(({ done }) => done)).rejects.toThrow();
});
