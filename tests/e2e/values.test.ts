import { beforeAll, describe, expect, test } from "vitest";
import { type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { startStack } from "../harness/stack.ts";

let client: HttpClient;

beforeAll(async () => {
  client = httpClient((await startStack({ partitions: 16 })).url);
});

describe("values are bytes, and come out as they went in", () => {
  test.each([
    ["an empty value", Buffer.alloc(0)],
    ["all 256 byte values", Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
    ["line feeds and tabs first", Buffer.from("\n\t\n1-2\tx\n")],
    ["1 MiB", Buffer.alloc(1024 * 1024, "0123456789abcdef")],
  ])("%s", async (name, value) => {
    const put = await client.put("values", name, value, {
      headers: { "content-type": "Application/X-Test; a=B", ...WAIT.headers },
    });
    expect(put.status).toBe(201);
    const got = await client.get("values", name);
    expect(got.status).toBe(200);
    expect(got.body.equals(value)).toBe(true);
    expect(got.headers).toMatchObject({
      "content-type": "Application/X-Test; a=B",
      "content-length": String(value.byteLength),
      etag: `"${revisionOf(put).text}"`,
      "x-content-type-options": "nosniff",
    });
    expect(Date.parse(got.headers["last-modified"] ?? "")).not.toBeNaN();
  });

  test.each([
    "a/b/c",
    "/",
    "//",
    "schlüssel",
    "鍵 🔑",
    "a b+c&d=e?f#g",
    "%",
    "%2F",
    "{tag}/x",
    "'\"\\<>",
    "k".repeat(1024),
  ])("the key %j names one value", async (key) => {
    expect((await client.put("keys", key, `value of ${key}`, WAIT)).status).toBe(201);
    expect((await client.get("keys", key)).text).toBe(`value of ${key}`);
    expect((await client.remove("keys", key, WAIT)).status).toBe(204);
    expect((await client.get("keys", key)).status).toBe(404);
  });

  test("a slash in a key may be written plain or encoded", async () => {
    await client.send("PUT", "/v1/kv/keys/dir/file", { body: "v", ...WAIT });
    expect((await client.send("GET", "/v1/kv/keys/dir%2Ffile")).text).toBe("v");
  });

  test("namespaces do not see each other", async () => {
    await client.put("one", "k", "1", WAIT);
    expect((await client.get("two", "k")).status).toBe(404);
  });
});

describe("a write tells what it did when its client waits", () => {
  test("created, replaced, deleted, deleted again", async () => {
    expect((await client.put("told", "k", "1", WAIT)).status).toBe(201);
    expect((await client.put("told", "k", "2", WAIT)).status).toBe(204);
    expect((await client.remove("told", "k", WAIT)).status).toBe(204);
    expect((await client.remove("told", "k", WAIT)).status).toBe(204);
    const again = await client.put("told", "k", "3", WAIT);
    expect(again.status).toBe(201);
    expect(again.headers).toMatchObject({ location: "/v1/kv/told/k", "preference-applied": "wait=10" });
  });

  test("a counter's new value, exact to 64 bits, and why it cannot count", async () => {
    expect((await client.increment("told", "c", "9223372036854775806", WAIT)).text).toBe("9223372036854775806");
    expect((await client.increment("told", "c", "1", WAIT)).text).toBe("9223372036854775807");
    const over = await client.increment("told", "c", "1", WAIT);
    expect([over.status, JSON.parse(over.text)]).toEqual([
      409,
      expect.objectContaining({ type: "/problems/type-conflict" }),
    ]);
    await client.put("told", "text", "no number", WAIT);
    expect((await client.increment("told", "text", "1", WAIT)).status).toBe(409);
  });

  test("whether its condition was met, at its place in the log", async () => {
    const first = await client.put("told", "cas", "1", { headers: { "if-none-match": "*", ...WAIT.headers } });
    expect(first.status).toBe(201);
    expect((await client.put("told", "cas", "2", { headers: { "if-none-match": "*", ...WAIT.headers } })).status).toBe(
      412,
    );
    const etag = first.headers.etag ?? "";
    expect((await client.put("told", "cas", "3", { headers: { "if-match": etag, ...WAIT.headers } })).status).toBe(204);
    expect((await client.put("told", "cas", "4", { headers: { "if-match": etag, ...WAIT.headers } })).status).toBe(412);
    expect((await client.get("told", "cas")).text).toBe("3");
  });

  test("of many that compare and set at once, exactly one wins", async () => {
    const { headers } = await client.put("told", "race", "0", WAIT);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        client.put("told", "race", `${i}`, { headers: { "if-match": headers.etag ?? "", ...WAIT.headers } }),
      ),
    );
    expect(answers.map(({ status }) => status).filter((status) => status === 204)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(39);
  });
});

describe("a write that nobody waits for", () => {
  test("is told later, with its result, under the location it was accepted with", async () => {
    const write = await client.increment("later", "n", "5", { headers: { prefer: "respond-async" } });
    expect(write.status).toBe(202);
    expect(write.headers["preference-applied"]).toBe("respond-async");
    const location = write.headers.location ?? "";
    const told = JSON.parse((await client.send("GET", `${location}?wait=10`)).text);
    expect(told).toMatchObject({
      status: "applied",
      result: { effect: "counted", value: "5" },
      namespace: "later",
      key: "n",
      operation: "increment",
    });
  });

  test("carries the trace it belongs to", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { headers } = await client.put("later", "traced", "v", { headers: { traceparent } });
    const told = JSON.parse((await client.send("GET", `${headers.location}?wait=10`)).text);
    expect(told.traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  });

  test("that is refused by its condition is told so", async () => {
    await client.put("later", "k", "1", WAIT);
    const { headers } = await client.put("later", "k", "2", { headers: { "if-none-match": "*" } });
    const told = JSON.parse((await client.send("GET", `${headers.location}?wait=10`)).text);
    expect(told).toMatchObject({ status: "rejected", result: { reason: "condition-not-met" } });
  });
});

describe("a read", () => {
  test("is answered 304 when its client has that revision, HEAD like GET without the body", async () => {
    const { headers } = await client.put("read", "k", "value", WAIT);
    const same = await client.get("read", "k", { headers: { "if-none-match": headers.etag ?? "" } });
    expect([same.status, same.body.byteLength, same.headers.etag]).toEqual([304, 0, headers.etag]);
    const head = await client.send("HEAD", "/v1/kv/read/k");
    expect([head.status, head.body.byteLength, head.headers["content-length"]]).toEqual([200, 0, "5"]);
  });

  test("never answers older than its minimum revision, and says when that is not reached in time", async () => {
    const { headers } = await client.put("read", "min", "1");
    const revision = String(headers["millrace-revision"]);
    expect((await client.get("read", "min", { headers: { "millrace-min-revision": revision } })).text).toBe("1");
    const future = revision.replace(/-(\d+)-/, (_, ms: string) => `-${Number(ms) + 3_600_000}-`);
    const behind = await client.get("read", "min", { headers: { "millrace-min-revision": future, prefer: "wait=1" } });
    expect([behind.status, behind.headers["retry-after"]]).toEqual([503, "1"]);
    expect(JSON.parse(behind.text).type).toBe("/problems/revision-not-reached");
  });
});
