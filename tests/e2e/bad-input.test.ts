import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { type Stack, startStack } from "../harness/stack.ts";

let stack: Stack;
let client: HttpClient;

beforeAll(async () => {
  stack = await startStack();
  client = httpClient(stack.url);
});

/** Sends bytes that no HTTP client would, and returns the status line. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(stack.url).port), "127.0.0.1", () => socket.end(text));
    let answer = "";
    socket.setTimeout(5000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (data) => {
      answer += data.toString("latin1");
    });
    socket.on("close", () => resolve(answer.split("\r\n", 1)[0] ?? ""));
    socket.on("error", reject);
  });
}

describe("bad input gets a clear 4xx with a stable type", () => {
  test.each([
    ["PUT", "/v1/kv/n/", 400, "invalid-key", {}],
    ["PUT", "/v1/kv/n/%zz", 400, "invalid-key", {}],
    ["PUT", "/v1/kv/n/a%00b", 400, "invalid-key", {}],
    ["PUT", "/v1/kv/n/%c0%af", 400, "invalid-key", {}],
    ["PUT", `/v1/kv/n/${"k".repeat(1025)}`, 414, "key-too-long", {}],
    ["PUT", "/v1/kv/no%20pe/k", 400, "invalid-namespace", {}],
    ["PUT", "/v1/kv/n/k?tll=5", 400, "unknown-parameter", {}],
    ["PUT", "/v1/kv/n/k", 400, "invalid-precondition", { "if-match": "x" }],
    ["GET", "/v1/kv/n/k", 400, "invalid-revision", { "millrace-min-revision": "nonsense" }],
    ["GET", "/v1/kv/n/missing", 404, "key-not-found", {}],
    ["GET", "/v1/commands/nonsense", 400, "invalid-revision", {}],
    ["GET", "/v1/commands/00-1-1", 404, "command-not-found", {}],
    ["GET", "/v1/commands/00-1-1?wait=x", 400, "invalid-parameter", {}],
    ["POST", "/v1/kv/n/k", 400, "invalid-increment", {}],
    ["POST", "/v1/kv/n/k?increment=1e3", 400, "invalid-increment", {}],
    ["POST", "/v1/kv/n/k?increment=9223372036854775808", 400, "invalid-increment", {}],
    ["PATCH", "/v1/kv/n/k", 415, "unsupported-media-type", {}],
    ["DELETE", "/v1/partitions", 405, "method-not-allowed", {}],
    ["GET", "/", 404, "not-found", {}],
    ["GET", "/v1/kvx", 404, "not-found", {}],
  ] as const)("%s %s: %i %s", async (method, path, status, slug, headers) => {
    const answer = await client.send(method, path, {
      headers: { ...headers, "x-request-id": "test-1" },
      ...(method === "PUT" && { body: "v" }),
    });
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(JSON.parse(answer.text)).toMatchObject({ type: `/problems/${slug}`, status, requestId: "test-1" });
    if (status === 405) expect(answer.headers.allow).toMatch(/GET/);
  });

  test("a value over the limit is refused, with its length told and without", async () => {
    const body = Buffer.alloc(1024 * 1024 + 1);
    expect((await client.put("n", "big", body)).status).toBe(413);
    const chunked = `PUT /v1/kv/n/big HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${`10000\r\n${"x".repeat(65536)}\r\n`.repeat(20)}0\r\n\r\n`;
    expect(await raw(chunked)).toBe("HTTP/1.1 413 Payload Too Large");
    expect((await client.get("n", "big")).status).toBe(404);
  });

  test.each([
    ["no HTTP at all", "hello\r\n\r\n"],
    ["a NUL in the path", "GET /v1/kv/n/a\0b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"],
    ["a bad length", "PUT /v1/kv/n/k HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\nv"],
    [
      "length and chunks at once",
      "PUT /v1/kv/n/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["no host", "GET /v1/partitions HTTP/1.1\r\nConnection: close\r\n\r\n"],
    ["a header without end", `GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
  ])("%s is refused and takes nothing down", async (_, text) => {
    expect(await raw(text)).toMatch(/^HTTP\/1\.1 4\d\d/);
    expect((await client.send("GET", "/v1/partitions")).status).toBe(200);
  });
});

test("10,000 random requests: no 500, no crash, and the store still works", async () => {
  let seed = 20261121;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed % below;
  };
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  const junk = (length: number) =>
    Array.from({ length }, () =>
      pick(["a", "%", "%00", "%2F", "/", "..", "?", "&", "=", "ü", "%ff", "{", "}", "*", '"', ";", "\\", "+", " "]),
    ).join("");
  const path = () =>
    encodeURI(
      pick(["/v1/kv/", "/v1/commands/", "/v1/partitions", "/v1/kv/n/", "/", "/v2/", "/v1/kv/n/k?increment="]) +
        junk(random(12)),
    ).replace(/%25/g, "%");
  const header = () =>
    pick([
      "*",
      '"00-1-1"',
      'W/"x"',
      "00-1-1",
      "wait=0",
      "wait=abc",
      "respond-async",
      "1",
      "-1",
      "text/plain",
      junk(3).replace(/[^\x20-\x7e]/g, ""),
    ]);
  const names = [
    "if-match",
    "if-none-match",
    "prefer",
    "millrace-min-revision",
    "content-type",
    "traceparent",
    "x-request-id",
    "idempotency-key",
  ];
  const statuses = new Map<number, number>();
  const worker = async () => {
    for (let i = 0; i < 10_000 / 20; i++) {
      const headers: Record<string, string> = {};
      for (let n = random(4); n > 0; n--) headers[pick(names)] = header();
      // A reachable revision is worth no waiting here.
      if (headers["millrace-min-revision"] !== undefined) headers.prefer = "wait=0";
      const method = pick(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS"]);
      const { status } = await client.send(method, path(), { headers, body: junk(random(40)) });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  expect([...statuses.keys()].filter((status) => status >= 500 && status !== 503)).toEqual([]);
  expect(statuses.size).toBeGreaterThan(4);
  expect((await client.put("n", "after", "v", WAIT)).status).toBe(201);
  expect(stack.apis[0]?.running).toBe(true);
});
