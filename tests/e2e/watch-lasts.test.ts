import { beforeAll, describe, expect, test } from "vitest";
import { Log } from "../../core/log.ts";
import { openEventStream, openFirstStream, type StreamEvent } from "../harness/event-stream.ts";
import { accepted, applied, type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { keysIn } from "../harness/keys-of.ts";
import { openLink } from "../harness/link.ts";
import { metricOf } from "../harness/metrics.ts";
import { watchPartitions } from "../harness/partitions.ts";
import type { ApiProcess } from "../harness/process.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 2;
/** Less than the 10 s that a stopping process gives to answers that do not end. */
const STOP_MAX_MS = 8_000;

let stack: Stack;
let client: HttpClient;
let log: Log;
beforeAll(async () => {
  stack = await startStack({ partitions: PARTITIONS });
  client = httpClient(stack.url);
  log = new Log(await openLink(stack.log.url), PARTITIONS);
  await log.prepare();
  (await openFirstStream(stack.url, "first")).close();
});

const keysOf = (events: readonly StreamEvent[]) => events.map(({ data }) => data.key);

test("a key that expires is told as expired, once, though nobody deletes it", async () => {
  const stream = await openEventStream(stack.url, "brief");
  applied(await client.send("PUT", "/v1/kv/brief/k?ttl=1", { body: "v", ...WAIT }));
  const [put, expired] = await stream.atLeast(2);
  expect([put?.event, expired?.event, expired?.data.operation]).toEqual(["put", "expire", "expire"]);
  stream.close();
});

describe("what the log keeps no more is never passed over in silence:", () => {
  test("a position that was trimmed is answered 410, with the oldest one to go on from", async () => {
    const [partition, other] = [0, 1].map((n) => keysIn(n, PARTITIONS, "trimmed", 3));
    if (!partition || !other) throw new Error("no keys");
    const before = await openEventStream(stack.url, "trimmed");
    const { lastId } = before;
    before.close();
    const revisions: ReturnType<typeof applied>[] = [];
    for (const key of partition) revisions.push(applied(await client.put("trimmed", key, "1", WAIT)));
    applied(await client.put("trimmed", other[0] ?? "", "1", WAIT));
    const all = await openEventStream(stack.url, "trimmed", { lastEventId: lastId });
    const events = [...(await all.atLeast(4))];
    all.close();
    await log.trim(0, revisions[1]?.id ?? "");

    const answer = await openEventStream(stack.url, "trimmed", { lastEventId: lastId });
    expect([answer.status, answer.headers["content-type"]]).toEqual([410, "application/problem+json"]);
    const problem = JSON.parse(answer.text);
    expect(problem).toMatchObject({ type: "/problems/position-trimmed", status: 410, restart: expect.any(String) });
    // From there on, in the other partition too, nothing is missing.
    const again = await openEventStream(stack.url, "trimmed", { lastEventId: problem.restart });
    expect(keysOf(await again.atLeast(2)).toSorted()).toEqual([partition[2] ?? "", other[0] ?? ""].toSorted());
    again.close();
    // Who has had what is gone goes on as if nothing were.
    const after = events.find(({ data }) => data.revision === revisions[1]?.text);
    const rest = await openEventStream(stack.url, "trimmed", { lastEventId: after?.id ?? "" });
    expect(rest.status).toBe(200);
    expect(keysOf(await rest.atLeast(1))).toContain(partition[2]);
    rest.close();
  });

  test("commands that an operator has given up end a stream as gone, with the oldest position to go on from", async () => {
    const [consumer] = stack.consumers;
    const [key = ""] = keysIn(0, PARTITIONS, "given-up", 1);
    applied(await client.put("given-up", key, "1", WAIT));
    const stream = await openEventStream(stack.url, "given-up");
    await consumer?.stop();
    const { id } = accepted(await client.put("given-up", key, "2"));
    // As if it had been trimmed by mistake.
    await log.trim(0, id);
    const next = await stack.addConsumer();
    const partitions = watchPartitions(stack.url);
    await partitions.inState(0, "lost-base");
    const { loss } = JSON.parse((await client.send("GET", "/v1/partitions/0")).text);
    expect((await client.send("POST", `/v1/partitions/0/accept-loss?confirm=${loss.confirm}`)).status).toBe(200);
    await partitions.inState(0, "ok");
    const last = applied(
      await waitFor(() => client.put("given-up", key, "3", WAIT).then((one) => one.status < 300 && one)),
    );
    await stream.end();
    const gone = stream.events.at(-1);
    expect([stream.events.length, gone?.event]).toEqual([1, "gone"]);
    expect(gone?.data).toMatchObject({ type: "/problems/position-trimmed", status: 410 });
    expect((await openEventStream(stack.url, "given-up", { lastEventId: stream.lastId })).status).toBe(410);
    const again = await openEventStream(stack.url, "given-up", { lastEventId: String(gone?.data.restart) });
    expect((await again.atLeast(1)).map(({ data }) => data.revision)).toEqual([last.text]);
    again.close();
    expect(next.running).toBe(true);
  });
});

test("a reader that takes nothing costs no more than a bound, and gets everything when it takes it", async () => {
  const [values, size] = [200, 256 * 1024];
  const [api] = stack.apis;
  if (!api) throw new Error("there should be an API");
  const stream = await openEventStream(stack.url, "slow?values=true");
  stream.pause();
  const before = await metricOf(api, "millrace_watch_events_total");
  for (let n = 0; n < values; n += 1) applied(await client.put("slow", `k${n}`, Buffer.alloc(size, "x"), WAIT));
  const written = async () => (await metricOf(api, "millrace_watch_events_total")) - before;
  let last = -1;
  await waitFor(
    async () => {
      const now = await written();
      const still = now > 0 && now === last;
      last = now;
      return still;
    },
    { intervalMs: 300, what: "nothing more is written" },
  );
  // What both systems keep for the connection is some MiB; all together would be 50.
  expect(last).toBeLessThan(80);
  stream.resume();
  const events = await stream.atLeast(values);
  expect(new Set(keysOf(events)).size).toBe(values);
  expect(events).toHaveLength(values);
  stream.close();
});

test("the store away: streams stay open, positions can be gone on from, and all of it is told when the store is back", async () => {
  const [open, other] = await Promise.all([openEventStream(stack.url, "away"), openEventStream(stack.url, "away")]);
  other.close();
  await stack.store.kill();
  await waitFor(async () => (await openEventStream(stack.url, "away")).status === 503, {
    what: "503 for a new stream",
  });
  const resumed = await openEventStream(stack.url, "away", { lastEventId: other.lastId });
  expect(resumed.status).toBe(200);
  for (let n = 0; n < 5; n += 1) accepted(await client.put("away", `k${n}`, "v"));
  await stack.store.restart();
  for (const stream of [open, resumed]) {
    expect(keysOf(await stream.atLeast(5)).toSorted()).toEqual(["k0", "k1", "k2", "k3", "k4"]);
    expect(stream.ended).toBe(false);
    stream.close();
  }
});

test("the log away: streams stay open, and what is accepted when it is back is told", async () => {
  const stream = await openEventStream(stack.url, "log-away");
  await stack.log.stop();
  await waitFor(async () => (await client.put("log-away", "refused", "v")).status === 503, { what: "503 for a write" });
  await waitFor(async () => (await openEventStream(stack.url, "log-away")).status === 503, {
    what: "503 for a stream",
  });
  await stack.log.restart();
  const { text } = applied(
    await waitFor(() => client.put("log-away", "k", "v", WAIT).then((answer) => answer.status < 300 && answer)),
  );
  await waitFor(() => stream.events.some(({ data }) => data.revision === text), { what: "the event" });
  expect([stream.ended, stream.events.some(({ event }) => event === "gone")]).toEqual([false, false]);
  stream.close();
});

test("an API that is told to stop ends its streams at once; they go on elsewhere, without a gap", async () => {
  const api: ApiProcess = await stack.addApi();
  const stream = await openFirstStream(api.url, "moved");
  applied(await client.put("moved", "1", "v", WAIT));
  await stream.atLeast(1);
  const startMs = performance.now();
  const exited = api.stop();
  await stream.end();
  expect(performance.now() - startMs).toBeLessThan(STOP_MAX_MS);
  const second = revisionOf(await client.put("moved", "2", "v", WAIT));
  expect(await exited).toBe(0);
  const elsewhere = await openEventStream(stack.url, "moved", { lastEventId: stream.lastId });
  expect((await elsewhere.atLeast(1)).map(({ data }) => data.revision)).toEqual([second.text]);
  elsewhere.close();
});
