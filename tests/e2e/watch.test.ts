import { beforeAll, describe, expect, test } from "vitest";
import { parseRevision } from "../../core/entry-id.ts";
import {
  type EventStream,
  openEventStream,
  openFirstStream,
  type StreamEvent,
  type StreamOptions,
} from "../harness/event-stream.ts";
import { type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { metricOf } from "../harness/metrics.ts";
import { type Stack, startStack } from "../harness/stack.ts";

const PARTITIONS = 4;

let stack: Stack;
let client: HttpClient;
beforeAll(async () => {
  stack = await startStack({ partitions: PARTITIONS });
  client = httpClient(stack.url);
  (await openFirstStream(stack.url, "first")).close();
});

const watch = (about: string, options?: StreamOptions): Promise<EventStream> =>
  openEventStream(stack.url, about, options);
const briefly = (events: readonly StreamEvent[]) => events.map(({ event, data }) => `${event} ${data.key}`);
const byPartition = (events: readonly StreamEvent[]) =>
  Array.from({ length: PARTITIONS }, (_, partition) =>
    events.map(({ data }) => data.revision).filter((one) => parseRevision(one, PARTITIONS)?.partition === partition),
  );

describe("a stream", () => {
  test("tells each key that a transaction changed, under one revision, and goes on in its middle", async () => {
    const stream = await watch("@deal");
    const put = (key: string) => ({ op: "put", key, value: "1", content_type: "x/y" });
    await client.commit("@deal", [put("a")], [], WAIT);
    const changes = [
      put("b"),
      { op: "delete", key: "none" },
      { op: "increment", key: "c", by: 2 },
      { op: "delete", key: "a" },
    ];
    const revision = revisionOf(await client.commit("@deal", changes, [], WAIT)).text;
    await client.commit("@deal", [put("d")], [{ key: "a", exists: true }], WAIT);
    await client.commit("@deal", [put("last")], [], WAIT);
    await stream.atLeast(5);
    expect(briefly(stream.events)).toEqual(["put a", "put b", "put c", "delete a", "put last"]);
    const told = stream.events.slice(1, 4).map(({ data }) => [data.revision, data.operation]);
    expect(told).toEqual(["put", "increment", "delete"].map((operation) => [revision, operation]));
    for (const [index, { id }] of stream.events.slice(0, 4).entries()) {
      const rest = await watch("@deal", { lastEventId: id });
      await rest.atLeast(4 - index);
      expect(briefly(rest.events)).toEqual(briefly(stream.events).slice(index + 1));
      rest.close();
    }
    stream.close();
  });

  test("tells each change that was applied, and nothing of what had no effect", async () => {
    const stream = await watch("told");
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    const put = await client.put("told", "{t}k", "1", WAIT);
    await client.put("told", "{t}k", "2", { headers: { "if-none-match": "*", ...WAIT.headers } });
    await client.remove("told", "{t}absent", WAIT);
    const counted = await client.increment("told", "{t}n", "5", WAIT);
    await client.put("told", "{t}text", "no number", WAIT);
    await client.increment("told", "{t}text", "1", WAIT);
    const removed = await client.remove("told", "{t}k", WAIT);
    await client.put("other", "{t}k", "1", WAIT);
    await client.put("told", "{t}last", "1", WAIT);
    await stream.atLeast(5);
    expect(briefly(stream.events)).toEqual(["put {t}k", "put {t}n", "put {t}text", "delete {t}k", "put {t}last"]);
    expect(stream.events.map(({ data }) => data)).toMatchObject([
      { revision: revisionOf(put).text, operation: "put", content_type: "text/plain" },
      { revision: revisionOf(counted).text, operation: "increment" },
      {},
      { revision: revisionOf(removed).text, operation: "delete" },
      {},
    ]);
    stream.close();
  });

  test.each([
    ["of a prefix", "filter?prefix=a/", ["a/1", "a/b/2"]],
    ["of a prefix with a whole hash tag", "filter?prefix=%7Bx%7D", ["{x}1", "{x}2"]],
    ["of a prefix with half a tag", "filter?prefix=%7B", ["{x}1", "{x}2", "{y}1"]],
    ["of a whole key, and what begins like it", "filter?prefix=ab", ["ab", "abc"]],
    ["of a pinned namespace", "@filter", ["a/1"]],
  ])("%s tells these keys and no others", async (_, about, keys) => {
    const stream = await watch(about);
    for (const key of ["a/1", "a/b/2", "{x}1", "{x}2", "{y}1", "ab", "abc", "b", "A/1", "ä"]) {
      await client.put("filter", key, key, WAIT);
    }
    await client.put("@filter", "a/1", "1", WAIT);
    await client.put("filter.other", "a/1", "1", WAIT);
    await stream.atLeast(keys.length);
    expect(stream.events.map(({ data }) => data.key).toSorted()).toEqual(keys.toSorted());
    stream.close();
  });

  test("goes on right behind any of its events: each later one once, in order", async () => {
    const start = await watch("resumed");
    for (let n = 0; n < 40; n += 1) {
      if (n % 5 === 4) await client.remove("resumed", `k${(n - 1) % 7}`);
      else await client.put("resumed", `k${n % 7}`, `${n}`);
    }
    const all = [...(await start.atLeast(40))];
    start.close();
    for (const [index, { id }] of all.entries()) {
      const options = index % 2 === 0 ? { lastEventId: id } : {};
      const query = index % 2 === 0 ? "" : `?last_event_id=${id}&from=oldest`;
      const stream = await watch(`resumed${query}`, options);
      const rest = all.slice(index + 1);
      await stream.atLeast(rest.length);
      expect(byPartition(stream.events)).toEqual(byPartition(rest));
      expect(stream.lastId).not.toBe("");
      stream.close();
    }
    const again = await watch("resumed?from=oldest");
    await again.atLeast(all.length);
    expect(byPartition(again.events)).toEqual(byPartition(all));
    again.close();
  });

  test("tells each key of a transaction under its one revision, and goes on in the middle of it; a repeated request is told once", async () => {
    const stream = await watch("@together");
    const change = (key: string) => ({ op: "put", key, value: key });
    const { text } = revisionOf(
      await client.commit("@together", [...["a", "b", "c"].map(change), { op: "delete", key: "no" }], [], WAIT),
    );
    const events = await stream.atLeast(3);
    expect(events.map(({ data }) => [data.key, data.revision])).toEqual(["a", "b", "c"].map((key) => [key, text]));
    const rest = await watch("@together", { lastEventId: events[0]?.id ?? "" });
    expect(briefly(await rest.atLeast(2))).toEqual(["put b", "put c"]);
    const headers = { "idempotency-key": '"once"', ...WAIT.headers };
    for (let n = 0; n < 3; n += 1) await client.put("@together", "d", "1", { headers });
    await client.put("@together", "e", "1", WAIT);
    for (const one of [stream, rest]) {
      await expect.poll(() => briefly(one.events).slice(-2)).toEqual(["put d", "put e"]);
      one.close();
    }
  });

  test("tells where it begins, so that who got nothing can go on from there", async () => {
    const quiet = await watch("quiet");
    const { lastId } = quiet;
    quiet.close();
    await client.put("quiet", "meanwhile", "1", WAIT);
    const stream = await watch("quiet", { lastEventId: lastId });
    expect(briefly(await stream.atLeast(1))).toEqual(["put meanwhile"]);
    stream.close();
  });

  test("is counted for as long as it is open", async () => {
    const [api] = stack.apis;
    if (!api) throw new Error("there should be an API");
    await expect.poll(() => metricOf(api, "millrace_watchers")).toBe(0);
    const stream = await watch("counted");
    expect(await metricOf(api, "millrace_watchers")).toBe(1);
    stream.close();
    await expect.poll(() => metricOf(api, "millrace_watchers")).toBe(0);
  });
});

describe("values come with their events", () => {
  test("as text or base64, with content type, metadata and expiry; where there is a newer one, that is said instead", async () => {
    const begin = await watch("values");
    const { lastId } = begin;
    begin.close();
    const headers = { "millrace-metadata": '{"n":1.10}', ...WAIT.headers };
    await client.send("PUT", "/v1/kv/values/%7Bt%7Dtext?ttl=1000", { body: "grün", headers });
    await client.put("values", "{t}bytes", Buffer.from([0xff, 0x00]), WAIT);
    await client.put("values", "{t}old", "1", WAIT);
    await client.put("values", "{t}old", "2", WAIT);
    await client.remove("values", "{t}bytes", WAIT);
    const stream = await watch("values?values=true", { lastEventId: lastId });
    const [text, bytes, old, renewed, removed] = await stream.atLeast(5);
    expect(text?.data).toMatchObject({ value: "grün", encoding: "text", metadata: { n: 1.1 } });
    expect(text?.data.expires_at).toBeGreaterThan(Date.now() / 1000);
    expect(bytes?.data).toMatchObject({ superseded: true, content_type: "text/plain" });
    expect(old?.data).toMatchObject({ superseded: true });
    expect(renewed?.data).toMatchObject({ value: "2", encoding: "text" });
    expect(removed).toMatchObject({ event: "delete", data: { key: "{t}bytes" } });
    expect(removed?.data).not.toHaveProperty("superseded");
    await client.put("values", "{t}bytes", Buffer.from([0xff, 0x00]), WAIT);
    expect((await stream.atLeast(6))[5]?.data).toMatchObject({ value: "/wA=", encoding: "base64" });
    stream.close();
  });

  test("a megabyte, too", async () => {
    const stream = await watch("large?values=true");
    const value = "0123456789abcdef".repeat(65_536);
    for (const key of ["{t}1", "{t}2", "{t}3"]) await client.put("large", key, value, WAIT);
    const events = await stream.atLeast(3);
    for (const { data } of events) expect(data.value === value).toBe(true);
    stream.close();
  });
});

describe("what is no request for a stream is refused:", () => {
  test.each([
    ["our own namespace", "@millrace", 400, "invalid-namespace"],
    ["a position that is none", "n?last_event_id=hello", 400, "invalid-position"],
    ["a position of other partitions", "n?prefix=%7Bt%7D&last_event_id=AQABAAEAAQABAAE", 400, "invalid-position"],
    ["another beginning", "n?from=yesterday", 400, "invalid-parameter"],
    ["a prefix longer than keys are", `n?prefix=${"k".repeat(1025)}`, 400, "invalid-parameter"],
  ])("%s", async (_, about, status, slug) => {
    const answer = await watch(about);
    expect([answer.status, JSON.parse(answer.text).type]).toEqual([status, `/problems/${slug}`]);
  });

  test("HEAD tells what GET would be, and opens nothing", async () => {
    const answer = await client.send("HEAD", "/v1/watch/n");
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "text/event-stream"]);
  });
});
