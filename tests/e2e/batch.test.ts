import { beforeAll, describe, expect, test } from "vitest";
import type { LineResult } from "../harness/batch-lines.ts";
import { type Answer, applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { type LogReader, readLog } from "../harness/log-reader.ts";
import { type Stack, startStack } from "../harness/stack.ts";

const PARTITIONS = 4;

let stack: Stack;
let client: HttpClient;
let log: LogReader;

beforeAll(async () => {
  stack = await startStack({ partitions: PARTITIONS, apis: 2 });
  client = httpClient(stack.url);
  log = readLog(stack.log, PARTITIONS);
});

const post = (body: string, headers: Record<string, string> = {}, namespace = "b") =>
  client.send("POST", `/v1/batch/${namespace}`, {
    body,
    headers: { "content-type": "application/json", ...WAIT.headers, ...headers },
  });
const batch = async (items: unknown, headers: Record<string, string> = {}): Promise<LineResult[]> => {
  const answer = await post(typeof items === "string" ? items : JSON.stringify(items), headers);
  expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/json"]);
  return (JSON.parse(answer.text) as { results: LineResult[] }).results;
};
const statuses = (results: readonly LineResult[]) => results.map(({ status }) => status);
const type = (answer: Answer) => [answer.status, (JSON.parse(answer.text) as { type: string }).type];
const slug = ({ status, problem }: LineResult) => [status, problem?.type.replace("/problems/", "")];

describe("every item is a command of its own, told in its place", () => {
  test("with what it came to", async () => {
    const results = await batch({
      operations: [
        { op: "put", key: "text", value: "héllo" },
        { op: "put", key: "bytes/%", value: "/wAB", encoding: "base64" },
        { op: "put", key: "text", value: "again", content_type: "text/html", metadata: { é: 1 }, ttl: 1000 },
        { op: "increment", key: "count", by: "9007199254740993" },
        { op: "increment", key: "count", by: 1 },
        { op: "increment", key: "text", by: 1 },
        { op: "patch", key: "doc", patch: { a: { b: 1 } } },
        { op: "delete", key: "none" },
        { op: "put", key: "text", value: "x", if_none_match: "*" },
        { op: "increment", key: "count", by: "9223372036854775807" },
      ],
    });
    expect(statuses(results)).toEqual([201, 201, 204, 200, 200, 409, 201, 204, 412, 409]);
    expect(results.map(({ value }) => value).filter(Boolean)).toEqual(["9007199254740993", "9007199254740994"]);
    expect(results[1]?.location).toBe("/v1/kv/b/bytes%2F%25");
    expect(slug(results[8] as LineResult)).toEqual([412, "precondition-failed"]);
    for (const { revision } of results) expect(revision).toMatch(/^\d\d-\d+-\d+$/);
    const text = await client.get("b", "text");
    expect([text.text, text.headers["content-type"], text.headers["millrace-metadata"]]).toEqual([
      ...["again", "text/html", '{"\\u00e9":1}'],
    ]);
    expect(Number(text.headers["millrace-expires-at"])).toBeGreaterThan(Date.now() / 1000);
    const bytes = await client.get("b", "bytes/%");
    expect([...bytes.body, bytes.headers["content-type"]]).toEqual([255, 0, 1, "application/octet-stream"]);
    expect(bytes.headers.etag).toBe(`"${results[1]?.revision}"`);
  });

  test("JSON, patches and metadata are kept as they are written", async () => {
    const json = '{ "big":12345678901234567890, "n":1.50,"é":"\\u00e9" ,"a":[],"o":{}}';
    const operations = [
      `{"op":"put","key":"raw","json":${json},"metadata":{"n":9007199254740993}}`,
      `{"op":"put","key":"null","json":null}`,
      `{"op":"patch","key":"raw2","patch":{"big":12345678901234567890}}`,
    ];
    for (const document of [`[${operations.join(" ,\n")}]`, `{"operations":[${operations.join(",")}]}`]) {
      await batch(document);
      const raw = await client.get("b", "raw");
      expect([raw.text, raw.headers["content-type"], raw.headers["millrace-metadata"]]).toEqual([
        ...[json, "application/json", '{"n":9007199254740993}'],
      ]);
      expect((await client.get("b", "null")).text).toBe("null");
      expect((await client.get("b", "raw2")).text).toContain("12345678901234567890");
    }
  });

  test("who does not wait is told where to ask", async () => {
    const results = await batch([{ op: "put", key: "later", value: "v" }], { prefer: "respond-async" });
    expect(results).toEqual([
      {
        status: 202,
        revision: expect.any(String) as string,
        grade: "memory",
        location: `/v1/commands/${results[0]?.revision}`,
      },
    ]);
    expect((await client.command(results[0]?.revision ?? "", 10)).status).toBe(200);
  });

  test.each([
    [{ op: "put", key: "", value: "" }, 400, "invalid-key"],
    [{ op: "put", key: "..", value: "" }, 400, "invalid-key"],
    [{ op: "put", key: "a\nb", value: "" }, 400, "invalid-key"],
    [{ op: "put", key: "\ud800", value: "" }, 400, "invalid-key"],
    [{ op: "put", key: "x".repeat(1025), value: "" }, 414, "key-too-long"],
    [{ op: "put", key: "k" }, 400, "invalid-operation"],
    [{ op: "put", key: "k", value: "", json: 1 }, 400, "invalid-operation"],
    [{ op: "put", key: "k", value: 1 }, 400, "invalid-operation"],
    [{ op: "put", key: "k", value: "\ud800" }, 400, "invalid-operation"],
    [{ op: "put", key: "k", value: "_w==", encoding: "base64" }, 400, "invalid-operation"],
    [{ op: "put", key: "k", value: "", encoding: "hex" }, 400, "invalid-operation"],
    [{ op: "put", key: "k", json: 1, encoding: "text" }, 400, "invalid-operation"],
    [{ op: "put", key: "k", value: "x".repeat(1024 * 1024 + 1) }, 413, "value-too-large"],
    [{ op: "put", key: "k", value: "", ttl: 0 }, 400, "invalid-expiry"],
    [{ op: "put", key: "k", value: "", ttl: 1, keep_ttl: true }, 400, "invalid-expiry"],
    [{ op: "put", key: "k", value: "", metadata: "x".repeat(1024) }, 400, "invalid-metadata"],
    [{ op: "put", key: "k", value: "", content_type: "é" }, 400, "invalid-content-type"],
    [{ op: "put", key: "k", value: "", if_match: "v1" }, 400, "invalid-precondition"],
    [{ op: "put", key: "k", value: "", if_match: "*", if_none_match: "*" }, 400, "invalid-precondition"],
    [{ op: "put", key: "k", value: "", idempotency_key: "" }, 400, "invalid-idempotency-key"],
    [{ op: "put", key: "k", value: "", more: 1 }, 400, "invalid-operation"],
    [{ op: "increment", key: "k", by: 1.5 }, 400, "invalid-operation"],
    [{ op: "increment", key: "k", by: "9223372036854775808" }, 400, "invalid-increment"],
    [{ op: "delete", key: "k", by: 1 }, 400, "invalid-operation"],
    [{ op: "patch", key: "k" }, 400, "invalid-operation"],
    [{ op: "rename", key: "k" }, 400, "invalid-operation"],
    [null, 400, "invalid-operation"],
    [[], 400, "invalid-operation"],
  ])("and what is wrong with one harms no other: %j", async (item, status, problem) => {
    const results = await batch([
      { op: "put", key: "before", value: "v" },
      item,
      { op: "put", key: "after", value: "v" },
    ]);
    expect([results[0]?.problem, results[2]?.problem]).toEqual([undefined, undefined]);
    expect(slug(results[1] as LineResult)).toEqual([status, problem]);
    expect(results[1]?.revision).toBeUndefined();
  });
});

describe("a batch that is none is refused as a whole, and nothing is written:", () => {
  const put = { op: "put", key: "never", value: "v" };
  test.each([
    ["no JSON", `[${JSON.stringify(put)}`, 400, "invalid-batch"],
    ["no list", JSON.stringify(put), 400, "invalid-batch"],
    ["more than a list", JSON.stringify({ operations: [put], atomic: true }), 400, "invalid-batch"],
    ["null", "null", 400, "invalid-batch"],
    ["too many", JSON.stringify(Array.from({ length: 1001 }, () => put)), 413, "batch-too-large"],
    ["too large", JSON.stringify([put, "x".repeat(8 * 1024 * 1024)]), 413, "batch-too-large"],
  ])("%s", async (_, body, status, problem) => {
    expect(type(await post(body))).toEqual([status, `/problems/${problem}`]);
    expect((await client.get("b", "never")).status).toBe(404);
  });

  test("another type, namespace, parameter, grade or method", async () => {
    const body = JSON.stringify([put]);
    expect((await post(body, { "content-type": "text/plain" })).status).toBe(415);
    expect((await post(body, {}, "@millrace")).status).toBe(400);
    expect((await post(body, {}, "b?x=1")).status).toBe(400);
    expect((await post(body, { "millrace-grade": "best" })).status).toBe(400);
    expect((await client.send("GET", "/v1/batch/b")).status).toBe(405);
    expect((await client.get("b", "never")).status).toBe(404);
  });
});

test("a thousand items are in the log in their order, those with idempotency keys among the others", async () => {
  const items = Array.from({ length: 1_000 }, (_, index) => ({
    op: "put",
    key: `order-${index % 7}`,
    value: String(index),
    ...(index % 3 === 0 && { idempotency_key: `order-${index}` }),
  }));
  const results = await batch(items);
  expect(statuses(results).every((status) => [200, 201, 204].includes(status))).toBe(true);
  const entries = (await log.all()).filter(({ key }) => key.startsWith("order-"));
  expect(entries).toHaveLength(1_000);
  for (let key = 0; key < 7; key += 1) {
    const written = entries.filter((entry) => entry.key === `order-${key}`).map(({ body }) => Number(body));
    expect(written).toEqual(written.toSorted((a, b) => a - b));
    expect((await client.get("b", `order-${key}`)).text).toBe(String(written.at(-1)));
  }
  const revisions = entries.map(({ revision, body }) => [Number(body), revision] as const).sort(([a], [b]) => a - b);
  expect(results.map(({ revision }) => revision)).toEqual(revisions.map(([, revision]) => revision));
});

describe("with an idempotency key", () => {
  const items = [
    { op: "increment", key: "idem", by: 1 },
    { op: "increment", key: "idem", by: 1 },
    { op: "increment", key: "other", by: 5, idempotency_key: "mine" },
    { op: "put", key: "idem", value: "v", if_match: "*" },
  ];

  test("of the whole, each item has one effect, however often and wherever it is repeated", async () => {
    const headers = { "idempotency-key": '"whole"' };
    const first = await batch(items, headers);
    expect(first.map(({ value }) => value)).toEqual(["1", "2", "5", undefined]);
    const again = await batch(items, headers);
    expect(again.map(({ replayed }) => replayed)).toEqual([true, true, true, true]);
    const plain = ({ status, revision, value }: LineResult) => ({ status, revision, value });
    expect(again.map(plain)).toEqual(first.map(plain));
    const elsewhere = httpClient(stack.apis[1]?.url ?? "").send("POST", "/v1/batch/b", {
      body: JSON.stringify(items.slice(0, 3)),
      headers: { "content-type": "application/json", ...WAIT.headers, ...headers },
    });
    expect((JSON.parse((await elsewhere).text) as { results: LineResult[] }).results.map(plain)).toEqual(
      first.slice(0, 3).map(plain),
    );
    // Another item in a place is another request.
    expect(slug((await batch([items[1], items[0]], headers))[0] as LineResult)).toEqual([200, undefined]);
    expect(slug((await batch([{ ...items[0], by: 7 }], headers))[0] as LineResult)).toEqual([
      422,
      "idempotency-mismatch",
    ]);
  });

  test("an item is the same write as one of its own", async () => {
    const own = await client.increment("b", "other", "5", { headers: { ...WAIT.headers, "idempotency-key": "mine" } });
    expect([own.text, own.headers["idempotent-replayed"]]).toEqual(["5", "true"]);
    applied(own);
  });

  test("given twice in one batch, it has one effect", async () => {
    const item = { op: "increment", key: "twice", by: 1, idempotency_key: "twice" };
    const results = await batch([item, item, { ...item, by: 2 }]);
    expect(results.map(({ status, value, replayed }) => [status, value, replayed])).toEqual([
      [200, "1", undefined],
      [200, "1", true],
      [422, undefined, undefined],
    ]);
    expect((await client.get("b", "twice")).text).toBe("1");
  });
});
