import { beforeAll, describe, expect, test } from "vitest";
import { partitionOf } from "../../core/partition.ts";
import { type Answer, accepted, applied, type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { type RedisProxy, startProxy } from "../harness/proxy.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { type ReceivedSpan, startTraceReceiver, type TraceReceiver } from "../harness/trace-receiver.ts";

const PARTITIONS = 2;
const NAMESPACE = "traced";
const SECRETS = { value: "the-value-s3cr3t", key: "the-key-s3cr3t", token: "the-token-s3cr3t" };

let receiver: TraceReceiver;
let stack: Stack;
let client: HttpClient;
let log: RedisProxy;
let store: RedisProxy;

beforeAll(async () => {
  receiver = await startTraceReceiver();
  stack = await startStack({
    partitions: PARTITIONS,
    telemetry: receiver,
    consumers: 2,
    env: { MILLRACE_LEASE_MS: "1000" },
    reach: async (servers) => {
      log = await startProxy(servers.log);
      store = await startProxy(servers.store);
      return {};
    },
  });
  client = httpClient(stack.url);
});

const traceOf = (answer: Answer): string => String(answer.headers.traceresponse).split("-")[1] ?? "";
const of = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);
const only = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan => {
  const [span, ...more] = of(spans, name);
  if (!span || more.length > 0) throw new Error(`${more.length + (span ? 1 : 0)} spans ${name}`);
  return span;
};
const has =
  (...wanted: string[]) =>
  (spans: readonly ReceivedSpan[]) =>
    wanted.every(
      (name) => spans.filter((span) => span.name === name).length >= wanted.filter((one) => one === name).length,
    );

/** Every span is in one tree: its parent is among them, or outside where that is said. And takes its time. */
function expectConnected(spans: readonly ReceivedSpan[], from: string | null = null): void {
  // Jaeger warns of each that does not.
  expect(spans.filter(({ startNs, endNs }) => endNs <= startNs).map(({ name }) => name)).toEqual([]);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(({ parent }) => parent === null || !ids.has(parent));
  expect(roots.map(({ parent }) => parent)).toEqual([from]);
}

describe("one write is one trace", () => {
  test("a PUT that waits: from its request through the log into the store, and back to who waited", async () => {
    const answer = await client.put(NAMESPACE, "waited", "v", WAIT);
    const revision = applied(answer).text;
    const partition = String(partitionOf(NAMESPACE, "waited", PARTITIONS));
    const spans = await receiver.trace(
      traceOf(answer),
      has("PUT /v1/kv/{namespace}/{key}", "send log", "append log", "wait for applied", "process log", "apply store"),
    );
    expectConnected(spans);
    expect(spans).toHaveLength(6);
    const request = only(spans, "PUT /v1/kv/{namespace}/{key}");
    expect(request).toMatchObject({ kind: "SERVER", service: "millrace-api", parent: null, error: false });
    expect(request.attributes).toEqual({
      "http.request.method": "PUT",
      "http.route": "/v1/kv/{namespace}/{key}",
      "http.response.status_code": 201,
      "url.scheme": "http",
      "millrace.request.id": answer.headers["x-request-id"],
    });
    const send = only(spans, "send log");
    expect(send).toMatchObject({ kind: "PRODUCER", service: "millrace-api", parent: request.spanId });
    expect(send.attributes).toEqual({
      "messaging.system": "redis_streams",
      "messaging.destination.name": "log",
      "messaging.destination.partition.id": partition,
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.message.id": revision,
      "messaging.message.body.size": 1,
      "millrace.namespace": NAMESPACE,
      "millrace.operation": "put",
      "millrace.grade": "memory",
    });
    expect(only(spans, "append log")).toMatchObject({
      kind: "CLIENT",
      parent: send.spanId,
      attributes: { "db.system.name": "redis", "db.operation.name": "FCALL", "millrace.grade": "memory" },
    });
    const processed = only(spans, "process log");
    expect(processed).toMatchObject({ kind: "CONSUMER", service: "millrace-consumer", parent: send.spanId });
    expect(processed.attributes).toEqual({
      "messaging.system": "redis_streams",
      "messaging.destination.name": "log",
      "messaging.destination.partition.id": partition,
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.consumer.group.name": "apply",
      "messaging.client.id": expect.any(String),
      "messaging.message.id": revision,
      "millrace.namespace": NAMESPACE,
      "millrace.operation": "put",
      "millrace.outcome": "applied",
      "millrace.attempt": 1,
      "millrace.queue.duration": expect.any(Number),
    });
    const apply = only(spans, "apply store");
    expect(apply).toMatchObject({ kind: "CLIENT", service: "millrace-consumer", parent: send.spanId });
    expect(processed.links).toEqual([{ traceId: apply.traceId, spanId: apply.spanId }]);
    expect(only(spans, "wait for applied")).toMatchObject({
      kind: "INTERNAL",
      parent: request.spanId,
      attributes: { "millrace.outcome": "applied" },
    });
  });

  test("a PUT that does not wait goes on from the trace it comes with, and its status tells the trace", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const headers = { traceparent, tracestate: "congo=t61rcWkgMzE", baggage: "team=blue" };
    const answer = await client.put(NAMESPACE, "async", "v", { headers });
    const revision = accepted(answer).text;
    expect(traceOf(answer)).toBe("0af7651916cd43dd8448eb211c80319c");
    const spans = await receiver.trace(traceOf(answer), has("process log", "send log", "PUT /v1/kv/{namespace}/{key}"));
    expectConnected(spans, "b7ad6b7169203331");
    for (const span of spans) expect(span.tracestate).toBe("congo=t61rcWkgMzE");
    expect(JSON.parse((await client.command(revision, 5)).text)).toMatchObject({ traceId: traceOf(answer) });
  });

  test("what its client does not record is not recorded, and has the trace id all the same", async () => {
    const traceparent = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    const answer = await client.put(NAMESPACE, "quiet", "v", { headers: { ...WAIT.headers, traceparent } });
    expect(JSON.parse((await client.command(applied(answer).text)).text)).toMatchObject({ traceId: traceOf(answer) });
    expect(traceOf(answer)).toBe("1af7651916cd43dd8448eb211c80319c");
    // What came after it is there; it would be, too.
    const later = await client.put(NAMESPACE, "quiet", "w", WAIT);
    await receiver.trace(traceOf(later), has("process log"));
    expect(receiver.spans().filter(({ traceId }) => traceId === traceOf(answer))).toEqual([]);
  });

  test("a rejected one says why", async () => {
    const headers = { ...WAIT.headers, "if-match": '"00-1-1"' };
    const answer = await client.put("@traced", "none", "v", { headers: { ...headers, "if-none-match": "" } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    const other = await client.put(NAMESPACE, "waited", "v", { headers: { ...WAIT.headers, "if-none-match": "*" } });
    expect(other.status).toBe(412);
    const spans = await receiver.trace(traceOf(other), has("process log", "PUT /v1/kv/{namespace}/{key}"));
    expect(only(spans, "process log")).toMatchObject({
      error: false,
      attributes: { "millrace.outcome": "rejected", "millrace.reason": "condition-not-met" },
    });
    expect(only(spans, "PUT /v1/kv/{namespace}/{key}")).toMatchObject({
      error: false,
      attributes: { "millrace.problem": "precondition-failed", "http.response.status_code": 412 },
    });
  });

  test("a batch: one request, a trace of all its commands", async () => {
    const operations = Array.from({ length: 5 }, (_, index) => ({ op: "put", key: `batch-${index}`, value: "v" }));
    const answer = await client.send("POST", `/v1/batch/${NAMESPACE}`, {
      headers: { ...WAIT.headers, "content-type": "application/json" },
      body: JSON.stringify(operations),
    });
    expect(answer.status).toBe(200);
    const five = (name: string) => Array.from({ length: 5 }, () => name);
    const spans = await receiver.trace(
      traceOf(answer),
      has("POST /v1/batch/{namespace}", ...five("send log"), ...five("process log"), ...five("wait for applied")),
    );
    expectConnected(spans);
    const sent = new Map(
      of(spans, "send log").map(({ spanId, attributes }) => [attributes["messaging.message.id"], spanId]),
    );
    expect(sent.size).toBe(5);
    for (const { parent, attributes } of of(spans, "process log")) {
      expect(parent).toBe(sent.get(attributes["messaging.message.id"]));
    }
    // One call for all of a turn: it is linked to those that it is not a child of.
    const [append] = of(spans, "append log");
    const named = [append?.parent, ...(append?.links.map(({ spanId }) => spanId) ?? [])];
    expect(new Set(named)).toEqual(new Set(sent.values()));
    expect(named).toHaveLength(5);
  });
});

describe("what goes wrong is in the trace", () => {
  const poisoned = async (key: string) => {
    const reader = readStore(stack.store, PARTITIONS);
    await reader.redis.set(reader.keys(partitionOf(NAMESPACE, key, PARTITIONS)).value(NAMESPACE, key), "rubbish");
    return reader;
  };

  /** In place of all there are. */
  const onlyConsumer = async (reach: Parameters<Stack["addConsumer"]>[0]) => {
    await Promise.all(stack.consumers.filter(({ running }) => running).map((one) => one.stop()));
    return stack.addConsumer(reach);
  };

  test.each([
    ["recorded", "01"],
    ["not recorded", "00"],
  ])("a command that was parked and replayed is one trace, also where its request was %s", async (_, flags) => {
    const key = `parked-${flags}`;
    const reader = await poisoned(key);
    const traceparent = `00-2af7651916cd43dd8448eb211c8031${flags}-b7ad6b7169203331-${flags}`;
    const dead = await client.put(NAMESPACE, key, "v", { headers: { ...WAIT.headers, traceparent } });
    expect(dead.status).toBe(422);
    const letter = revisionOf(dead).text;
    const died = await receiver.trace(traceOf(dead), has("process log"));
    expect(only(died, "process log")).toMatchObject({
      error: true,
      attributes: { "millrace.outcome": "dead", "millrace.dead_letter.id": letter, "error.type": "command-dead" },
    });
    await reader.redis.del(reader.keys(partitionOf(NAMESPACE, key, PARTITIONS)).value(NAMESPACE, key));
    const replayed = await client.send("POST", `/v1/dead-letters/${letter}/replay`, WAIT);
    expect(replayed.status).toBe(201);
    const replay = (found: readonly ReceivedSpan[]) =>
      of(found, "send log").find(({ attributes }) => attributes["millrace.dead_letter.id"] === letter);
    const both = has("process log", "process log");
    const spans = await receiver.trace(traceOf(dead), (found) => both(found) && replay(found) !== undefined);
    const send = replay(spans);
    const request = only(
      await receiver.trace(traceOf(replayed), has("POST /v1/dead-letters/{id}/replay")),
      "POST /v1/dead-letters/{id}/replay",
    );
    expect(send?.links).toEqual([{ traceId: request.traceId, spanId: request.spanId }]);
    expect(request.links).toEqual([{ traceId: send?.traceId, spanId: send?.spanId }]);
    const again = of(spans, "process log").find(({ parent }) => parent === send?.spanId);
    expect(again?.attributes["millrace.outcome"]).toBe("applied");
  });

  test("an attempt that failed, and the one that did it", async () => {
    await onlyConsumer({ store });
    const cut = store.onRequest("apply_", "cut");
    const answer = await client.put(NAMESPACE, "retried", "v", WAIT);
    await cut.fired;
    applied(answer);
    const spans = await receiver.trace(traceOf(answer), has("process log", "process log"));
    expect(of(spans, "process log").map(({ error, attributes }) => [attributes["millrace.attempt"], error])).toEqual([
      [1, true],
      [2, false],
    ]);
    expectConnected(spans);
  });

  test("a consumer killed between apply and ack: the next one's ack is a redelivery, and no second write", async () => {
    const first = await onlyConsumer({ log, env: { MILLRACE_LOG_LEVEL: "debug" } });
    // What comes while it catches up is given to nobody, and needs no ack.
    await first.waitForLog(`"partition":${partitionOf(NAMESPACE, "killed", PARTITIONS)},"state":"ok"`);
    const killed = log.onRequest("XACK", async () => {
      await first.kill();
      return "drop";
    });
    const answer = await client.put(NAMESPACE, "killed", "v", WAIT);
    await killed.fired;
    await stack.addConsumer();
    applied(answer);
    const spans = await receiver.trace(traceOf(answer), has("settle log", "send log", "PUT /v1/kv/{namespace}/{key}"));
    expectConnected(spans);
    expect(only(spans, "settle log")).toMatchObject({
      kind: "CLIENT",
      parent: only(spans, "send log").spanId,
      attributes: {
        "messaging.operation.type": "settle",
        "millrace.redelivered": true,
        "messaging.message.id": revisionOf(answer).text,
      },
    });
    // The first one's span may have died with it.
    expect(of(spans, "process log").length).toBeLessThanOrEqual(1);
  });
});

test("where spans go nowhere, every answer and every command has a trace id all the same", async () => {
  const { url } = await stack.addApi({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: "" } });
  const answer = await httpClient(url).put(NAMESPACE, "nowhere", "v");
  expect(traceOf(answer)).toMatch(/^[0-9a-f]{32}$/);
  expect(JSON.parse((await client.command(accepted(answer).text)).text)).toMatchObject({ traceId: traceOf(answer) });
});

test("no value, no key and no token is in anything that was exported", async () => {
  const { value, key, token } = SECRETS;
  const headers = { ...WAIT.headers, authorization: `Bearer ${token}`, "idempotency-key": `"${token}"` };
  const put = await client.put(NAMESPACE, key, value, { headers: { ...headers, "millrace-metadata": `"${value}"` } });
  applied(put);
  const get = await client.get(NAMESPACE, key, { headers });
  expect(get.text).toBe(value);
  const list = await client.send("GET", `/v1/kv/${NAMESPACE}?prefix=${key}`, { headers });
  for (const answer of [get, list]) await receiver.trace(traceOf(answer), (spans) => spans.length > 0);
  await receiver.trace(traceOf(put), has("process log"));
  for (const secret of Object.values(SECRETS)) expect(receiver.text()).not.toContain(secret);
});
