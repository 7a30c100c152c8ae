import { beforeAll, expect, test } from "vitest";
import { partitionOf } from "../../core/partition.ts";
import { type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;
let stack: Stack;
let client: HttpClient;

beforeAll(async () => {
  stack = await startStack({ partitions: PARTITIONS, consumers: 2 });
  client = httpClient(stack.url);
});

const path = (key: string, query = "") => `/v1/kv/exp/${key}${query}`;
const put = (key: string, query: string, headers: Record<string, string> = {}) =>
  client.send("PUT", path(key, query), { body: "v", headers: { ...WAIT.headers, ...headers } });
const expiresAt = async (key: string) => (await client.get("exp", key)).headers["millrace-expires-at"];
const type = async (got: { text: string }) => String(JSON.parse(got.text).type);

test("a key is gone when its time is over: for readers, for conditions, and then for good", async () => {
  // Until it was read before its time was over.
  const told = await waitFor(async () => {
    const beforeMs = Date.now();
    expect((await put("short", "?ttl=1")).status).toBeLessThan(300);
    const atMs = Number(await expiresAt("short")) * 1000;
    if (Number.isNaN(atMs)) return false;
    expect(atMs).toBeGreaterThanOrEqual(beforeMs + 1_000);
    expect(atMs).toBeLessThanOrEqual(Date.now() + 1_000);
    return atMs / 1000;
  });
  await waitFor(async () => (await client.get("exp", "short")).status === 404);
  expect(Date.now()).toBeGreaterThanOrEqual(told * 1000);
  expect((await put("short", "", { "if-none-match": "*" })).status).toBe(201);
  expect(await expiresAt("short")).toBeUndefined();
});

test("what has expired leaves the store through the log, whatever the number of keys", async () => {
  const keys = Array.from({ length: 1_200 }, (_, index) => `many-${index}`);
  await Promise.all(keys.map((key) => put(key, "?ttl=1")));
  const store = readStore(stack.store, PARTITIONS);
  const left = async () => {
    const counts = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) => {
        const keysOf = store.keys(partition);
        const listed = store.redis.zlexcount(keysOf.index("exp"), "[many-", "(many.");
        return Promise.all([store.redis.zcard(keysOf.expiries), listed]);
      }),
    );
    return counts.flat().reduce((sum, count) => sum + count, 0);
  };
  await waitFor(async () => (await left()) === 0, { what: "an empty store" });
  const partition = partitionOf("exp", "many-7", PARTITIONS);
  expect(await store.redis.exists(store.keys(partition).value("exp", "many-7"))).toBe(0);
});

test("an expiry lives on when a key is counted or patched, and says so; put drops it unless told to keep it", async () => {
  const at = `${Math.floor(Date.now() / 1000) + 1000}.25`;
  await put("kept", `?expires_at=${at}`);
  expect(await expiresAt("kept")).toBe(at);
  await client.send("PATCH", path("kept"), {
    body: "5",
    headers: { ...WAIT.headers, "content-type": "application/merge-patch+json" },
  });
  await client.send("PUT", path("kept"), { body: "5", headers: WAIT.headers });
  expect(await expiresAt("kept")).toBeUndefined();
  await put("kept", `?expires_at=${at}`);
  await put("kept", "?keep_ttl");
  expect(await expiresAt("kept")).toBe(at);
  await client.send("PUT", path("n"), { body: "5", headers: WAIT.headers });
  expect((await client.send("POST", path("n", "?increment=1&ttl=1000"), WAIT)).text).toBe("6");
  expect((await client.send("POST", path("n", "?increment=1"), WAIT)).text).toBe("7");
  expect(Number(await expiresAt("n"))).toBeGreaterThan(Date.now() / 1000 + 900);
});

test.each([
  ...["?ttl=0", "?ttl=-1", "?ttl=1.5", "?ttl=", "?ttl=99999999999", "?ttl=1&ttl=2", "?ttl=1&expires_at=9999999999"],
  ...["?expires_at=1", "?expires_at=abc", "?expires_at=999999999999", "?keep_ttl=no", "?keep_ttl&ttl=1"],
])("refuses an expiry that means nothing: %s", async (query) => {
  const answer = await put("bad", query);
  expect([answer.status, await type(answer)]).toEqual([400, expect.stringContaining("invalid-expiry")]);
});

test("metadata comes back as it was given, until the next put", async () => {
  const metadata = '{"n":9007199254740993,"s":"\\u00e9", "a":[]}';
  await put("meta", "", { "millrace-metadata": metadata });
  expect((await client.get("exp", "meta")).headers["millrace-metadata"]).toBe(metadata);
  expect((await client.send("HEAD", path("meta"))).headers["millrace-metadata"]).toBe(metadata);
  await put("meta", "");
  expect((await client.get("exp", "meta")).headers["millrace-metadata"]).toBeUndefined();
});

test.each(["{", "nope", "", "é", JSON.stringify("x".repeat(1023))])(
  "refuses metadata that is none: %s",
  async (text) => {
    const answer = await put("bad", "", { "millrace-metadata": Buffer.from(text).toString("latin1") });
    expect([answer.status, await type(answer)]).toEqual([400, expect.stringContaining("invalid-metadata")]);
  },
);

test("patches of one key are merged in the order in which they were accepted", async () => {
  const patch = (body: string) =>
    client.send("PATCH", path("doc"), { body, headers: { "content-type": "application/merge-patch+json" } });
  for (let step = 0; step < 50; step += 1) await patch(`{"last":${step},"k${step % 10}":${step}}`);
  const last = await client.send("PATCH", path("doc"), {
    body: '{"big":12345678901234567890,"k0":null}',
    headers: { ...WAIT.headers, "content-type": "application/merge-patch+json" },
  });
  expect(last.status).toBe(204);
  const got = await client.get("exp", "doc");
  expect(got.headers["content-type"]).toBe("application/json");
  expect(got.text).toContain('"big":12345678901234567890');
  expect(JSON.parse(got.text)).toMatchObject({ last: 49, k1: 41, k9: 49 });
  expect(JSON.parse(got.text)).not.toHaveProperty("k0");
});

test("a patch that is no JSON, of another type, or of a value that is none, is refused", async () => {
  const merge = { ...WAIT.headers, "content-type": "application/merge-patch+json" };
  const send = (body: string, headers: Record<string, string>) => client.send("PATCH", path("p"), { body, headers });
  const other = await send("{}", { ...merge, "content-type": "application/json" });
  expect([other.status, other.headers["accept-patch"]]).toEqual([415, "application/merge-patch+json"]);
  expect((await send("{", merge)).status).toBe(400);
  expect((await send(`${"[".repeat(100)}${"]".repeat(100)}`, merge)).status).toBe(400);
  expect((await send(JSON.stringify("x".repeat(65_536)), merge)).status).toBe(413);
  await put("p", "");
  const conflict = await send("{}", merge);
  expect([conflict.status, await type(conflict)]).toEqual([409, expect.stringContaining("type-conflict")]);
  await client.send("PUT", path("p"), { body: JSON.stringify("x".repeat(65_536)), headers: WAIT.headers });
  expect((await send("{}", merge)).status).toBe(413);
});
