import { beforeEach, describe, expect, test } from "vitest";
import { type AccessLab, startAccessLab } from "../tests/harness/access-lab.ts";

let lab: AccessLab;
beforeEach(() => {
  lab = startAccessLab();
});

const put = (key: string) => ({ op: "put", key, value: "" });
async function commit(token: string, operations: unknown[], conditions: unknown[] = []): Promise<number> {
  const body = `{"if":${JSON.stringify(conditions)},"then":${JSON.stringify(operations)}}`;
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const path = "http://h/v1/txn/n";
  return (await lab.app.fetch(new Request(path, { method: "POST", headers, body }))).status;
}
/** Keys of one partition, of which some callers may only a/. */
const [own, more, others] = ["a/{t}1", "a/{t}2", "b/{t}1"];

describe("a transaction is refused, and nothing submitted, to whoever may not", () => {
  test.each<[what: string, token: string, operations: unknown[], conditions?: unknown[]]>([
    ["write one of its keys", "a-all", [put(own), put(others)]],
    ["write at all", "a-read", [put(own)]],
    ["read what it only looks at", "a-all", [put(own)], [{ key: others, exists: false }]],
    ["read what it only looks at, though it may write it", "a-write", [put(own)], [{ key: more, exists: true }]],
    ["read the value that it compares", "a-write", [put(own)], [{ key: own, value: "guess" }]],
    ["read what alone it asks for", "a-write", [], [{ key: own, exists: true }]],
  ])("%s", async (_, token, operations, conditions) => {
    expect(await commit(token, operations, conditions)).toBe(403);
    expect(lab.calls).toEqual([]);
  });
});

test.each<[token: string, operations: unknown[], conditions?: unknown[]]>([
  [
    "a-all",
    [put(own), put(more)],
    [
      { key: own, value: "x" },
      { key: "a/{t}3", exists: true },
    ],
  ],
  [
    "a-write",
    [put(own), put(more)],
    [
      { key: own, exists: false },
      { key: more, revision: "00-1-1" },
    ],
  ],
])("%s may do what his scopes say", async (token, operations, conditions) => {
  expect([202, 412]).toContain(await commit(token, operations, conditions));
});
