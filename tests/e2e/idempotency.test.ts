import { beforeAll, describe, expect, test } from "vitest";
import { partitionOf } from "../../core/partition.ts";
import { type Answer, accepted, type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { inTime } from "../harness/in-time.ts";
import { type LogReader, readLog } from "../harness/log-reader.ts";
import { metricOf } from "../harness/metrics.ts";
import { type RedisProxy, startProxy } from "../harness/proxy.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;

let stack: Stack;
let clients: HttpClient[];
let client: HttpClient;
let store: RedisProxy;
let log: LogReader;

beforeAll(async () => {
  stack = await startStack({
    partitions: PARTITIONS,
    apis: 2,
    reach: async (servers) => {
      store = await startProxy(servers.store);
      return { store };
    },
  });
  clients = stack.apis.map(({ url }) => httpClient(url));
  client = httpClient(stack.url);
  log = readLog(stack.log, PARTITIONS);
});

const once = (key: string, more: Record<string, string> = {}) => ({
  headers: { "idempotency-key": `"${key}"`, ...more },
});
const waiting = (key: string, more: Record<string, string> = {}) => once(key, { ...WAIT.headers, ...more });
const type = (answer: Answer) => [answer.status, (JSON.parse(answer.text) as { type: string }).type];
const commandsOf = async (key: string) => (await log.all()).filter((entry) => entry.key === key).length;
const told = ({ status, headers, text }: Answer) => ({
  status,
  text,
  ...Object.fromEntries(["millrace-revision", "location", "etag", "content-type"].map((name) => [name, headers[name]])),
});
const json = (answer: Answer) => JSON.parse(answer.text) as Record<string, unknown>;

describe("a repeat is answered as the first was, and writes nothing", () => {
  test.each([
    ["created", 201, (key: string) => client.put("n", key, "v", waiting(key))],
    ["deleted", 204, (key: string) => client.remove("n", key, waiting(key))],
    ["counted", 200, (key: string) => client.increment("n", key, "7", waiting(key))],
    ["refused", 412, (key: string) => client.put("n", key, "v", waiting(key, { "if-match": "*" }))],
    [
      "patched",
      201,
      (key: string) =>
        client.send("PATCH", `/v1/kv/n/${key}`, {
          body: '{"a":1}',
          ...waiting(key, { "content-type": "application/merge-patch+json" }),
        }),
    ],
  ])("%s: %i", async (key, status, send) => {
    const first = await send(key);
    expect([first.status, first.headers["idempotent-replayed"]]).toEqual([status, undefined]);
    // Whatever the key has become meanwhile.
    await client.put("n", key, "another", WAIT);
    const before = await commandsOf(key);
    const again = await send(key);
    expect(again.headers["idempotent-replayed"]).toBe("true");
    const { text, ...rest } = told(first);
    expect(told(again)).toMatchObject(rest);
    if (status !== 412) expect(again.text).toBe(text);
    expect(await commandsOf(key)).toBe(before);
  });

  test("who does not wait gets the first one's 202, also on another API", async () => {
    const first = await client.increment("n", "async", "1", once("async"));
    await client.command(accepted(first).text, 10);
    const again = await clients[1]?.increment("n", "async", "1", once("async"));
    expect(told(again as Answer)).toEqual(told(first));
    expect(again?.headers["idempotent-replayed"]).toBe("true");
    expect(await commandsOf("async")).toBe(1);
  });

  test("a header without quotes names the same key", async () => {
    const first = await client.increment("n", "bare", "1", waiting("bare"));
    const again = await client.increment("n", "bare", "1", { headers: { ...WAIT.headers, "idempotency-key": "bare" } });
    expect([told(again), again.headers["idempotent-replayed"]]).toEqual([told(first), "true"]);
  });
});

test("many at once on two APIs have one effect and one answer", async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      (clients[index % 2] ?? client).increment("n", "crowd", "1", waiting("crowd")),
    ),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(told(answer)))).size).toBe(1);
  expect(answers.filter((answer) => answer.headers["idempotent-replayed"] === undefined)).toHaveLength(1);
  expect(await client.get("n", "crowd")).toMatchObject({ text: "1" });
  // Within one process those behind the first share its way; who looks just when it ends may send one more.
  expect(await commandsOf("crowd")).toBeLessThan(answers.length / 2);
});

describe("another request under the same key", () => {
  test.each([
    ["another value", (key: string) => client.put("n", key, "w", waiting(key))],
    ["another type", (key: string) => client.put("n", key, "v", waiting(key, { "content-type": "text/html" }))],
    ["a condition", (key: string) => client.put("n", key, "v", waiting(key, { "if-match": "*" }))],
    ["metadata", (key: string) => client.put("n", key, "v", waiting(key, { "millrace-metadata": "1" }))],
    ["a grade", (key: string) => client.put("n", key, "v", waiting(key, { "millrace-grade": "memory" }))],
    [
      "an expiry",
      (key: string) =>
        client.send("PUT", `/v1/kv/n/${key}?ttl=60`, { body: "v", ...waiting(key, { "content-type": "text/plain" }) }),
    ],
    ["another method", (key: string) => client.remove("n", key, waiting(key))],
  ])("is a 422, and changes nothing: %s", async (what, send) => {
    const key = `mismatch-${what.replaceAll(" ", "-")}`;
    const first = await client.put("n", key, "v", waiting(key));
    const answer = await send(key);
    expect(type(answer)).toEqual([422, "/problems/idempotency-mismatch"]);
    expect(json(answer).detail).toContain(revisionOf(first).text);
    expect(await commandsOf(key)).toBe(1);
  });

  test("of another key or namespace is no repeat", async () => {
    for (const [namespace, key] of [
      ["n", "mine"],
      ["n", "other"],
      ["m", "mine"],
    ] as const) {
      expect((await client.put(namespace, key, "v", waiting("shared"))).status).toBe(201);
    }
  });
});

test.each(['"', '""', "a b", "a, b", "x".repeat(257), '"é"'])(
  "a header that is no key is refused: %s",
  async (header) => {
    const headers = { "idempotency-key": Buffer.from(header).toString("latin1") };
    expect(type(await client.put("n", "bad", "v", { headers }))).toEqual([400, "/problems/invalid-idempotency-key"]);
    expect((await client.get("n", "bad", { headers })).status).toBe(404);
  },
);

describe("with the store away", () => {
  test("a write is taken all the same, and a repeat comes to nothing when it is applied", async () => {
    await store.refuse();
    store.cutAll();
    const [first, again, other] = [
      accepted(await client.increment("n", "away", "1", once("away"))),
      accepted(await client.increment("n", "away", "1", once("away"))),
      accepted(await client.increment("n", "away", "2", once("away"))),
    ];
    expect(again.text).not.toBe(first.text);
    await store.accept();
    const status = async (revision: string) => {
      await waitFor(async () => (await client.command(revision)).status === 200);
      return json(await client.command(revision, 10));
    };
    expect(await status(other.text)).toMatchObject({
      status: "rejected",
      result: { reason: "idempotency-mismatch", by: first.text },
    });
    expect(await status(again.text)).toMatchObject({
      id: again.text,
      repeats: first.text,
      status: "applied",
      result: { effect: "counted", value: "1" },
    });
    expect(await client.get("n", "away")).toMatchObject({ text: "1" });
  });

  test("frozen, it does not hold a write up", async () => {
    store.freeze();
    try {
      await inTime(1_000, async (before) => {
        accepted(await client.put("n", "frozen", "v", once(`frozen-${before}`)));
      });
    } finally {
      store.thaw();
    }
  });
});

test("the replay of a dead letter is no repeat, and a repeat of it is told what became of it", async () => {
  const reader = readStore(stack.store, PARTITIONS);
  const valueKey = reader.keys(partitionOf("n", "dead", PARTITIONS)).value("n", "dead");
  await reader.redis.set(valueKey, "rubbish");
  const first = await client.increment("n", "dead", "1", waiting("dead"));
  expect(type(first)).toEqual([422, "/problems/command-dead"]);
  await reader.redis.del(valueKey);
  const again = await client.increment("n", "dead", "1", waiting("dead"));
  expect([...type(again), revisionOf(again).text]).toEqual([...type(first), revisionOf(first).text]);
  const replayed = await client.send("POST", `/v1/dead-letters/${revisionOf(first).text}/replay`, WAIT);
  expect([replayed.status, replayed.text]).toEqual([200, "1"]);
  expect(type(await client.increment("n", "dead", "1", waiting("dead")))).toEqual(type(first));
  expect(await client.get("n", "dead")).toMatchObject({ text: "1" });
});

test("a partition that knows as many keys as it may takes no new ones, and everything else", async () => {
  const api = await stack.addApi({ env: { MILLRACE_IDEMPOTENCY_KEYS_MAX: "3" } });
  const small = httpClient(api.url);
  const partition = partitionOf("full", "k", PARTITIONS);
  for (let key = 0; key < 3; key += 1) await small.increment("full", "k", "1", waiting(`full-${key}`));
  await waitFor(async () => (await metricOf(api, `millrace_idempotency_keys{partition="${partition}"}`)) >= 3);
  const refused = await small.increment("full", "k", "1", waiting("full-new"));
  expect(type(refused)).toEqual([503, "/problems/idempotency-full"]);
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  expect((await small.increment("full", "k", "1", waiting("full-2"))).text).toBe("3");
  expect((await small.increment("full", "k", "1", WAIT)).text).toBe("4");
});
