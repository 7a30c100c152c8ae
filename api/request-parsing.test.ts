import { describe, expect, test } from "vitest";
import { compareIds } from "../core/entry-id.ts";
import { parseContentType, readBody } from "./body.ts";
import { apiConfigSchema } from "./config.ts";
import { fromRequest } from "./exchange.ts";
import { parseKeyPath } from "./key-path.ts";
import { isNotModified, parseMinRevision, parseWritePrecondition } from "./precondition.ts";
import { parsePreference } from "./preference.ts";
import { carrierOf } from "./request-span.ts";
import { onlyParameters } from "./target.ts";

const keyOf = (target: string) => parseKeyPath(target).key;
const withHeaders = (headers: Record<string, string>) => fromRequest(new Request("http://h/", { headers }));

describe("the path of a key", () => {
  test.each([
    ["/v1/kv/n/a/b", "a/b"],
    ["/v1/kv/n/a%2Fb", "a/b"],
    ["/v1/kv/n//", "/"],
    ["/v1/kv/n/%C3%BC%F0%9F%98%80", "ü😀"],
    ["/v1/kv/n/a%20b+c", "a b+c"],
    ["/v1/kv/n/a%2525", "a%25"],
    ["/v1/kv/n/a?x=/y", "a"],
    ["/v1/kv/n/a%2F..%2Fb", "a/../b"],
    ["/v1/kv/n/a..b/.c/...", "a..b/.c/..."],
    ["/v1/kv/n/a%5Cb%23", "a\\b#"],
    ['/v1/kv/n/{a}|"b"', '{a}|"b"'],
  ])("%s is read whole and decoded once", (path, key) => {
    expect(keyOf(path)).toBe(key);
  });

  test.each([
    ["/v1/kv/n/", "invalid-key"],
    ["/v1/kv/n", "invalid-key"],
    ["/v1/kv/n/%", "invalid-key"],
    ["/v1/kv/n/%zz", "invalid-key"],
    ["/v1/kv/n/%ff", "invalid-key"],
    ["/v1/kv/n/%ed%a0%80", "invalid-key"],
    ["/v1/kv/n/a%00b", "invalid-key"],
    ["/v1/kv/n/a%0ab", "invalid-key"],
    ["/v1/kv/n/a/../b", "invalid-key"],
    ["/v1/kv/n/a/%2e%2E/b", "invalid-key"],
    ["/v1/kv/n/.", "invalid-key"],
    ["/v1/kv/n/a/.%2e", "invalid-key"],
    ["/v1/kv/n/a#b", "invalid-key"],
    ["/v1/kv/n/a\\b", "invalid-key"],
    ["/v1/kv/../kv/n/k", "invalid-namespace"],
    ["/v1/kv/%6e/k", "invalid-namespace"],
    ["/v1/kv//k", "invalid-namespace"],
    ["/v1/kv/-n/k", "invalid-namespace"],
    ["/v1/kv/n%20/k", "invalid-namespace"],
    [`/v1/kv/${"n".repeat(65)}/k`, "invalid-namespace"],
    [`/v1/kv/@${"n".repeat(64)}/k`, "invalid-namespace"],
    ["/v1/kv/@/k", "invalid-namespace"],
    ["/v1/kv/@@n/k", "invalid-namespace"],
    ["/v1/kv/n@/k", "invalid-namespace"],
    ["/v1/kv/@millrace/ns/n", "invalid-namespace"],
    ["/v1/kv/%40millrace/ns/n", "invalid-namespace"],
    [`/v1/kv/n/${"k".repeat(1025)}`, "key-too-long"],
    [`/v1/kv/n/${"%C3%BC".repeat(513)}`, "key-too-long"],
  ])("%s is refused as %s", (path, slug) => {
    expect(() => keyOf(path)).toThrow(expect.objectContaining({ slug }));
  });

  test("a pinned namespace may be written with its @ percent-encoded; only our own is out of reach", () => {
    for (const segment of ["@orders", "%40orders"]) {
      expect(parseKeyPath(`/v1/kv/${segment}/k`)).toMatchObject({ namespace: "@orders", key: "k" });
    }
    expect(parseKeyPath("/v1/kv/@millraces/k").namespace).toBe("@millraces");
    expect(parseKeyPath(`/v1/kv/@${"n".repeat(63)}/k`).namespace).toHaveLength(64);
  });

  test("a key may be exactly as long as the limit, in bytes", () => {
    expect(keyOf(`/v1/kv/n/${"k".repeat(1024)}`)).toHaveLength(1024);
    expect(keyOf(`/v1/kv/n/${"%C3%BC".repeat(512)}`)).toHaveLength(512);
  });

  test("a parameter that would have no effect is refused", () => {
    expect(() => onlyParameters(new URLSearchParams("ttl=5"), ["increment"])).toThrow(
      expect.objectContaining({ slug: "unknown-parameter" }),
    );
    expect(() => onlyParameters(new URLSearchParams("increment=5"), ["increment"])).not.toThrow();
  });
});

describe("Prefer", () => {
  test.each([
    [null, 0, ""],
    ["wait=5", 5, "wait=5"],
    ['respond-async, wait="10"', 10, "wait=10"],
    ["Wait = 3; foo=bar, handling=lenient", 3, "wait=3"],
    ["wait=99999", 30, "wait=30"],
    ["wait=1, wait=2", 1, "wait=1"],
    ["respond-async", 0, "respond-async"],
    ["wait=-1", 0, ""],
    ["wait=soon, return=minimal", 0, ""],
    ["", 0, ""],
  ])("%j means waiting %i s and says %j", (header, waitS, applied) => {
    expect(parsePreference(header)).toEqual({ waitS, applied });
  });
});

describe("preconditions", () => {
  const parse = (headers: Record<string, string>) => parseWritePrecondition(withHeaders(headers), 7, 16);

  test.each([
    [{}, { impossible: false }],
    [{ "if-match": "*" }, { condition: { kind: "match", id: "*" }, impossible: false }],
    [{ "if-none-match": "*" }, { condition: { kind: "none-match", id: "*" }, impossible: false }],
    [{ "if-match": '"07-10-2"' }, { condition: { kind: "match", id: "10-2" }, impossible: false }],
    [{ "if-match": '"08-10-2"' }, { impossible: true }],
    [{ "if-none-match": '"08-10-2"' }, { impossible: false }],
  ])("%j", (headers, expected) => {
    expect(parse(headers as Record<string, string>)).toEqual(expected);
  });

  test.each([
    { "if-match": "07-10-2" },
    { "if-match": 'W/"07-10-2"' },
    { "if-match": '"07-10-2", "07-10-3"' },
    { "if-match": '"abc"' },
    { "if-match": "" },
    { "if-match": "*", "if-none-match": "*" },
  ])("%j is refused, never ignored", (headers) => {
    expect(() => parse(headers as Record<string, string>)).toThrow(
      expect.objectContaining({ slug: "invalid-precondition" }),
    );
  });

  test("a read compares weakly, in lists too", () => {
    const etag = '"07-10-2"';
    expect([etag, `W/${etag}`, "*", `"x", ${etag}`].map((header) => isNotModified(header, etag))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([null, '"x"', "07-10-2"].map((header) => isNotModified(header, etag))).toEqual([false, false, false]);
  });

  test("of several minimum revisions the newest of the key's partition counts", () => {
    expect(parseMinRevision('07-10-2, 08-99-0,"07-10-10", 07-9-99', 7, 16)).toBe("10-10");
    expect(parseMinRevision("08-99-0", 7, 16)).toBeNull();
    expect(compareIds("10-10", "10-2")).toBeGreaterThan(0);
    for (const bad of ["", "x", "07-10-2,", "16-1-1", Array.from({ length: 65 }, () => "07-1-1").join()]) {
      expect(() => parseMinRevision(bad, 7, 16)).toThrow(expect.objectContaining({ slug: "invalid-revision" }));
    }
  });
});

describe("the body", () => {
  const request = (body: ReadableStream | null, headers: Record<string, string> = {}) =>
    new Request("http://h/", {
      method: "PUT",
      body,
      headers,
      ...(body instanceof ReadableStream && { duplex: "half" }),
    } as RequestInit);
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    });

  test("too large is refused before it is read when its length is told, and at the limit when it is not", async () => {
    const declared = request(endless(), { "content-length": "1048577" });
    await expect(readBody(declared)).rejects.toMatchObject({ slug: "value-too-large" });
    await expect(readBody(request(endless()))).rejects.toMatchObject({ slug: "value-too-large" });
  });

  test("without a declared length comes out whole", async () => {
    const chunks = [new Uint8Array([1, 2]), new Uint8Array(0), new Uint8Array([3])];
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const chunk = chunks.shift();
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    });
    expect([...(await readBody(request(stream)))]).toEqual([1, 2, 3]);
    expect(await readBody(request(null))).toHaveLength(0);
  });

  test("that breaks off is the client's fault, not ours", async () => {
    const stream = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
    await expect(readBody(request(stream))).rejects.toMatchObject({ slug: "invalid-body" });
  });

  test("keeps its content type verbatim, and gets the generic one when it has none", () => {
    expect(parseContentType('Text/HTML; Charset="utf-8"')).toBe('Text/HTML; Charset="utf-8"');
    expect(parseContentType(null)).toBe("application/octet-stream");
    for (const bad of ["a/b\tc", "ü/x", "x".repeat(256)]) {
      expect(() => parseContentType(bad)).toThrow(expect.objectContaining({ slug: "invalid-content-type" }));
    }
  });
});

test("a traceparent is carried only when it is one", () => {
  const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const of = (value: string) => carrierOf(withHeaders({ traceparent: value })).traceparent;
  expect(of(valid)).toBe(valid);
  for (const bad of [
    "x",
    valid.toUpperCase(),
    valid.replace("00-", "ff-"),
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    `${valid}-x`,
  ]) {
    expect(of(bad)).toBeUndefined();
  }
});

test("without tokens the api stays on loopback unless told otherwise in so many words", () => {
  const config = { LOG_URL: "redis://a", STORE_URL: "redis://b" };
  expect(apiConfigSchema.parse(config).MILLRACE_HOST).toBe("127.0.0.1");
  expect(apiConfigSchema.safeParse({ ...config, MILLRACE_HOST: "0.0.0.0" }).success).toBe(false);
  expect(
    apiConfigSchema.safeParse({ ...config, MILLRACE_HOST: "0.0.0.0", MILLRACE_ALLOW_ANONYMOUS: "true" }).success,
  ).toBe(true);
});
