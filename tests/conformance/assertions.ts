/** What checks say again and again of answers. */
import assert from "node:assert/strict";
import type { Answer } from "../harness/http.ts";

export const WAIT = { prefer: "wait=10" } as const;

/** @throws AssertionError that shows the answer */
export function hasStatus(answer: Answer, status: number): void {
  if (answer.status !== status) assert.fail(`expected ${status}, got ${answer.status}: ${answer.text.slice(0, 500)}`);
}

/** These headers are there, with these values, or values that match. */
export function hasHeaders(answer: Answer, expected: Readonly<Record<string, string | RegExp>>): void {
  for (const [name, value] of Object.entries(expected)) {
    const got = answer.headers[name];
    if (typeof value === "string") assert.equal(got, value, `header ${name}`);
    else assert.match(String(got), value, `header ${name}`);
  }
}

/** A problem of this status and type, with all that every problem says (RFC 9457). */
export function isProblem(answer: Answer, status: number, slug: string): Record<string, unknown> {
  hasStatus(answer, status);
  hasHeaders(answer, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": /^[A-Za-z0-9._-]{1,128}$/,
  });
  const problem = jsonOf(answer);
  includes(problem, { type: `/problems/${slug}`, status, requestId: answer.headers["x-request-id"] });
  assert.equal(typeof problem.title, "string");
  return problem;
}

export function jsonOf(answer: Answer): Record<string, unknown> {
  return JSON.parse(answer.text) as Record<string, unknown>;
}

/** All that is expected is there, at any depth; there may be more. */
export function includes(actual: unknown, expected: unknown, at = "it"): void {
  if (typeof expected !== "object" || expected === null) {
    assert.deepEqual(actual, expected, `${at} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
    return;
  }
  assert.ok(typeof actual === "object" && actual !== null, `${at} is ${JSON.stringify(actual)}`);
  for (const [name, value] of Object.entries(expected)) {
    includes((actual as Record<string, unknown>)[name], value, `${at}.${name}`);
  }
}

/** The revision that an answer names. */
export function revisionOf(answer: Answer): string {
  const revision = String(answer.headers["millrace-revision"]);
  assert.match(revision, /^\d{2,4}-\d+-\d+$/, `no revision in ${answer.status} ${answer.text}`);
  return revision;
}

/** An answer that a client got that does not wait: accepted, with where to ask for the result. */
export function isAccepted(answer: Answer): string {
  hasStatus(answer, 202);
  const revision = revisionOf(answer);
  assert.equal(answer.headers.location, `/v1/commands/${revision}`);
  assert.equal(answer.body.byteLength, 0);
  return revision;
}
