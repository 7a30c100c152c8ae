import { describe, expect, test } from "vitest";
import type { Exchange } from "../exchanges.ts";
import { checkAgainstDocument } from "./document-check.ts";

const problem = { content: { "application/problem+json": {} }, headers: { "X-Request-Id": {} } };

const DOCUMENT = {
  openapi: "3.1.0",
  paths: {
    "/v1/kv/{namespace}/{key}": {
      summary: "A value",
      get: {
        responses: {
          200: { content: { "*/*": {} }, headers: { ETag: {} } },
          404: { $ref: "#/components/responses/Problem" },
        },
      },
      put: { responses: { 202: { headers: { Location: { $ref: "#/components/headers/Location" } } } } },
    },
    "/v1/dead-letters/{id}": { get: { responses: { 200: { content: { "application/json": {} } }, "4XX": problem } } },
    "/v1/dead-letters/replay": { post: { responses: { 200: { content: { "application/json": {} } } } } },
  },
  components: { responses: { Problem: problem }, headers: { Location: {} } },
};

const exchange = (method: string, path: string, status: number, more: Partial<Exchange> = {}): Exchange => ({
  method,
  path,
  status,
  mediaType: null,
  headers: [],
  ...more,
});
const notFound = { mediaType: "application/problem+json", headers: ["x-request-id"] };

const AGREEING: readonly Exchange[] = [
  exchange("GET", "/v1/kv/n/a/b/c", 200, { mediaType: "image/png", headers: ["etag"] }),
  exchange("GET", "/v1/kv/n/k", 404, notFound),
  exchange("PUT", "/v1/kv/n/k", 202, { headers: ["location"] }),
  exchange("GET", "/v1/dead-letters/00-1-1", 200, { mediaType: "application/json" }),
  exchange("GET", "/v1/dead-letters/00-1-1", 410, notFound),
  exchange("POST", "/v1/dead-letters/replay", 200, { mediaType: "application/json" }),
];

const check = (exchanges: readonly Exchange[], complete = false) =>
  checkAgainstDocument(DOCUMENT, exchanges, { complete, unseen: [] });

test("a server and a document that agree are told nothing", () => {
  expect(check(AGREEING, true)).toEqual([]);
});

describe("what was seen and does not stand in the document is told", () => {
  test.each([
    ["a path", exchange("GET", "/v1/secret", 200), "no such path"],
    ["a path with a parameter too many", exchange("GET", "/v1/dead-letters/1/2", 200), "no such path"],
    ["a method", exchange("DELETE", "/v1/kv/n/k", 204), "has no DELETE"],
    ["a status", exchange("PUT", "/v1/kv/n/k", 201), "answers 201"],
    ["a status that only a range of another class has", exchange("GET", "/v1/dead-letters/1", 503), "answers 503"],
    ["a media type", exchange("GET", "/v1/dead-letters/1", 200, { mediaType: "text/html" }), "a body of text/html"],
    [
      "a body where there is none",
      exchange("PUT", "/v1/kv/n/k", 202, { mediaType: "text/plain" }),
      "a body of text/plain",
    ],
    ["a header", exchange("PUT", "/v1/kv/n/k", 202, { headers: ["location", "x-new"] }), "not in it: x-new"],
    ["a header that another status has", exchange("GET", "/v1/kv/n/k", 200, { headers: ["location"] }), "location"],
  ])("%s", (_, seen, complaint) => {
    expect(check([seen])).toEqual([expect.stringContaining(complaint)]);
  });

  test("but not what is 404 because there is no such path, nor 405 because there is no such method", () => {
    expect(check([exchange("GET", "/favicon.ico", 404, notFound), exchange("PATCH", "/v1/kv/n/k", 405)])).toEqual([]);
  });

  test("the most literal path is the one that counts", () => {
    expect(check([exchange("GET", "/v1/dead-letters/replay", 200)])).toEqual([
      expect.stringContaining("/v1/dead-letters/replay has no GET"),
    ]);
  });
});

describe("what stands in the document and was not seen is told", () => {
  test.each(AGREEING.map((one) => [`${one.method} ${one.path} ${one.status}`, one] as const))("%s", (_, left) => {
    const complaints = check(
      AGREEING.filter((one) => one !== left),
      true,
    );
    expect(complaints).toEqual([expect.stringMatching(/stands in it and was never seen/)]);
  });

  test("unless there is a reason, which holds for that status of that operation alone", () => {
    const unseen = [{ operation: /^PUT /, status: "202", reason: "for this test" }];
    const seen = AGREEING.filter(({ method, status }) => method !== "PUT" && status !== 404);
    expect(checkAgainstDocument(DOCUMENT, seen, { complete: true, unseen })).toEqual([
      "GET /v1/kv/{namespace}/{key} 404 stands in it and was never seen",
    ]);
  });

  test("a default response documents nothing", () => {
    const document = { paths: { "/x": { get: { responses: { default: problem } } } } };
    expect(checkAgainstDocument(document, [exchange("GET", "/x", 400, notFound)], { complete: false })).toEqual([
      "GET /x answers 400, which is not in it",
    ]);
  });
});

test.each([
  ["no object", null],
  ["no paths", { openapi: "3.1.0" }],
  ["a reference to nothing", { paths: { "/x": { get: { responses: { 200: { $ref: "#/components/no" } } } } } }],
  ["a reference elsewhere", { paths: { "/x": { $ref: "https://example.com/x" } } }],
  ["a reference to itself", { paths: { "/x": { $ref: "#/paths/~1x" } } }],
])("a document with %s is no document", (_, document) => {
  expect(() => checkAgainstDocument(document, [], { complete: false })).toThrow();
});
