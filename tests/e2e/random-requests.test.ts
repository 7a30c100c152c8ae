import { expect, test } from "vitest";
import { httpClient, WAIT } from "../harness/http.ts";
import { startStack } from "../harness/stack.ts";

test("10,000 random requests: no 500, no crash, and the store still works", async () => {
  const stack = await startStack();
  const client = httpClient(stack.url, { described: false });
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
