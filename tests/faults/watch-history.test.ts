import { beforeEach, expect, test } from "vitest";
import { encodeHeader } from "../../core/codec.ts";
import { idAfter } from "../../core/entry-id.ts";
import { type EventStream, openEventStream, openFirstStream } from "../harness/event-stream.ts";
import { applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { type LogReader, readLog } from "../harness/log-reader.ts";
import { remember } from "../harness/older-copy.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { incrementOf } from "../harness/producer.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const FORGOTTEN = 5;

let stack: Stack;
let client: HttpClient;
/** Of an API that came later: the other one still has in memory what the log has forgotten, and tells it. */
let laterUrl: string;
let log: LogReader;
/** It has had everything that was applied. */
let stream: EventStream;
/** Ids of the events before anything was forgotten, of one that is forgotten, and of the last. */
let positions: { before: string; within: string; last: string };

/** The log has forgotten the last commands that the store has applied, and no consumer has noticed it yet. */
beforeEach(async () => {
  await stack?.stop();
  stack = await startStack({ partitions: 1, env: { MILLRACE_LEASE_MS: "600" } });
  client = httpClient(stack.url);
  log = readLog(stack.log, 1);
  stream = await openFirstStream(stack.url, "history");
  await put("first");
  const forget = await remember(stack.log);
  for (let n = 1; n <= FORGOTTEN; n += 1) await put(`forgotten-${n}`);
  const events = await stream.atLeast(1 + FORGOTTEN);
  positions = { before: events[0]?.id ?? "", within: events[2]?.id ?? "", last: events.at(-1)?.id ?? "" };
  await stack.consumers[0]?.stop();
  await forget();
  laterUrl = (await stack.addApi()).url;
});

async function put(key: string) {
  const answer = await waitFor(async () => {
    const one = await client.put("history", key, key, WAIT);
    return one.status < 300 && one;
  });
  return applied(answer);
}

async function heal(): Promise<void> {
  const consumer = await stack.addConsumer();
  await consumer.waitForLog("the log had gone back");
  await watchPartitions(stack.url).inState(0, "ok");
}

const resume = (lastEventId: string) => openEventStream(laterUrl, "history", { lastEventId });
const keysOf = ({ events }: EventStream) => events.map(({ data }) => data.key);

/** Entries as an older log with a slow clock would have made them: ids right after its last one, dense ordinals. */
async function appendBehindTheWatermark(keys: readonly string[]): Promise<void> {
  const { log: entries, appends } = log.keys(0);
  const [last] = await log.redis.xrevrange(entries, "+", "-", "COUNT", 1);
  const first = Number(await log.redis.hget(appends, "@ordinal")) + 1;
  const id = (offset: number) => idAfter(last?.[0] ?? "", 1 + offset);
  for (const [n, key] of keys.entries()) {
    const header = encodeHeader(incrementOf("history", key), "slow-clock", 1 + n);
    await log.redis.xadd(entries, id(n), "v1", `${first + n} ${header}`, "b", "");
  }
  const group = `1 ${keys.length} ${id(0)} ${first}`;
  const counted = String(first + keys.length - 1);
  await log.redis.hset(appends, "@ordinal", counted, "@last", id(keys.length - 1), "slow-clock", group);
}

test("a log that forgot what was applied: who has had all of it goes on without a gap or a double, who has not is told", async () => {
  const ahead = await resume(positions.last);
  const behind = [await resume(positions.before), await resume(positions.within)];
  await heal();
  const { text } = await put("after");
  for (const one of behind) {
    await one.end();
    expect(one.events.map(({ event }) => event)).toEqual(["gone"]);
  }
  await ahead.atLeast(1);
  await stream.atLeast(2 + FORGOTTEN);
  expect(ahead.events.map(({ data }) => data.revision)).toEqual([text]);
  expect(keysOf(stream)).toEqual(["first", ...[1, 2, 3, 4, 5].map((n) => `forgotten-${n}`), "after"]);
  expect([ahead.ended, stream.ended]).toEqual([false, false]);
  // The same when they come only now.
  expect((await resume(positions.before)).status).toBe(410);
  expect((await resume(positions.within)).status).toBe(410);
  const later = await resume(positions.last);
  await later.atLeast(1);
  expect(keysOf(later)).toEqual(["after"]);
});

test("a log that took other commands, with ids that the store has passed: they are told when they are applied, and once", async () => {
  await appendBehindTheWatermark(["other-1", "other-2"]);
  const behind = await resume(positions.before);
  const fresh = await openEventStream(laterUrl, "history?from=oldest");
  // The stream looks four times a second: what it could tell now it would have told.
  const sinceMs = performance.now();
  await waitFor(() => performance.now() - sinceMs > 1_000);
  expect([behind.events, fresh.events]).toEqual([[], []]);
  await heal();
  await put("after");
  await stream.atLeast(4 + FORGOTTEN);
  expect(keysOf(stream).slice(1 + FORGOTTEN)).toEqual(["other-1", "other-2", "after"]);
  for (const one of [behind, fresh]) {
    await one.end();
    expect(one.events.map(({ event }) => event)).toEqual(["gone"]);
  }
  const again = await resume(String(behind.events[0]?.data.restart));
  await again.atLeast(3);
  expect(keysOf(again)).toEqual(["other-1", "other-2", "after"]);
});
