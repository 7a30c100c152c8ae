import { expect, test } from "vitest";
import { problemAnswer } from "../../api/problem.ts";
import { breachOf, type Told } from "./contract.ts";

const COMMON = { "x-request-id": "r", "x-content-type-options": "nosniff" };
const accepted: Told = {
  status: 202,
  headers: { ...COMMON, "millrace-revision": "00-1-1", "millrace-grade": "memory", location: "/v1/commands/00-1-1" },
  text: "",
};
const json = (document: unknown, status = 200): Told => ({
  status,
  headers: { ...COMMON, "cache-control": "no-store", "content-type": "application/json" },
  text: JSON.stringify(document),
});
const problem = (...about: Parameters<typeof problemAnswer>): Told => {
  const { status, headers, body } = problemAnswer(...about);
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { status, headers: Object.fromEntries(lower), text: String(body) };
};
const command = { id: "00-1-1", status: "queued" };

test("an answer that is described is let pass", () => {
  expect(breachOf("PUT", "/v1/kv/n/a/b?ttl=1", accepted)).toBeNull();
  expect(breachOf("GET", "/v1/commands/00-1-1?wait=1", json(command))).toBeNull();
  expect(breachOf("PUT", "/v1/kv/n/k", problem("backlog-full", "r"))).toBeNull();
  expect(
    breachOf("PUT", "/v1/kv/n/k", problem("precondition-failed", "r", "", { "Millrace-Revision": "00-1-1" })),
  ).toBeNull();
  expect(breachOf("GET", "/nothing", problem("not-found", "r"))).toBeNull();
  expect(breachOf("PUT", "/v1/partitions", problem("method-not-allowed", "r", "", { Allow: "GET, HEAD" }))).toBeNull();
});

test.each([
  ["a status", "PUT", "/v1/kv/n/k", { ...accepted, status: 203 }, /status 203/],
  ["a header", "PUT", "/v1/kv/n/k", { ...accepted, headers: { ...accepted.headers, server: "x" } }, /header server/],
  ["a body", "PUT", "/v1/kv/n/k", { ...accepted, text: "ok" }, /a body/],
  [
    "a content type",
    "GET",
    "/v1/partitions",
    { ...json([]), headers: { ...COMMON, "content-type": "text/html" } },
    /text\/html/,
  ],
  ["a member", "GET", "/v1/commands/00-1-1", json({ ...command, host: "10.0.0.7" }), /host/],
  ["a value of a member", "GET", "/v1/commands/00-1-1", json({ ...command, status: "lost" }), /status/],
  ["a problem", "GET", "/v1/partitions", problem("key-not-found", "r"), /key-not-found/],
  [
    "a member of a problem",
    "GET",
    "/v1/kv/n/k",
    { ...problem("key-not-found", "r"), text: '{"type":"/problems/key-not-found","stack":"at x"}' },
    /stack/,
  ],
  ["a header of a problem", "GET", "/v1/kv/n/k", problem("key-not-found", "r", "", { ETag: '"x"' }), /etag/],
  [
    "a revision with what was never accepted",
    "PUT",
    "/v1/kv/n/k",
    problem("invalid-key", "r", "", { "Millrace-Revision": "00-1-1" }),
    /millrace-revision/,
  ],
  ["a route", "GET", "/v1/secrets", json({}), /a route/],
  ["a problem without a route", "GET", "/v1/secrets", problem("key-not-found", "r"), /key-not-found/],
  [
    "no request id",
    "PUT",
    "/v1/kv/n/k",
    { ...accepted, headers: { "x-content-type-options": "nosniff" } },
    /X-Request-Id/,
  ],
] as const)("what is not described is found: %s", (_, method, target, answer, breach) => {
  expect(breachOf(method, target, answer)).toMatch(breach);
});
