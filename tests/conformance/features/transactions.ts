import assert from "node:assert/strict";
import type { Answer } from "../../harness/http.ts";
import { hasHeaders, hasStatus, includes, isAccepted, isProblem, jsonOf, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import type { Subject } from "../subject.ts";

const JSON_TYPE = { "content-type": "application/json" } as const;

type Given = Readonly<Record<string, unknown>>;

const commit = (
  { namespace, send }: Subject,
  operations: readonly Given[],
  conditions: readonly Given[] = [],
  headers: Record<string, string> = WAIT,
): Promise<Answer> =>
  send("POST", `/v1/txn/${namespace}`, {
    headers: { ...JSON_TYPE, ...headers },
    body: `{"if":${JSON.stringify(conditions)},"then":${JSON.stringify(operations)}}`,
  });

/** Keys of one partition: they share a tag. */
function newKeys({ newKey }: Subject, count: number): string[] {
  const tag = newKey();
  return Array.from({ length: count }, (_, n) => `{${tag}}/${n}`);
}

const WRONG_BODIES = [
  "",
  "{",
  "[]",
  "{}",
  '{"then":[{"op":"fly","key":"a"}]}',
  '{"then":[{"op":"put","key":"a"}]}',
  '{"if":[{"key":"a"}]}',
];

export const transactions = feature("txn", "a transaction changes several keys at once, or none", {
  "all of them are at its revision, and what became of each is told": async (subject) => {
    const { namespace, put, get, command } = subject;
    const [text = "", counter = "", old = ""] = newKeys(subject, 3);
    await put(namespace, old, "v", { headers: WAIT });
    const operations = [
      { op: "put", key: text, value: "v", content_type: "x/y" },
      { op: "increment", key: counter, by: "9007199254740993" },
      { op: "delete", key: old },
    ];
    const answer = await commit(subject, operations);
    hasStatus(answer, 200);
    const revision = revisionOf(answer);
    hasHeaders(answer, { etag: `"${revision}"`, "preference-applied": "wait=10" });
    const results = [
      { key: text, effect: "created" },
      { key: counter, effect: "counted", value: "9007199254740993" },
      { key: old, effect: "deleted" },
    ];
    assert.deepEqual(jsonOf(answer), { revision, results });
    const written = await get(namespace, text);
    assert.deepEqual([written.text, written.headers["content-type"], revisionOf(written)], ["v", "x/y", revision]);
    assert.equal(revisionOf(await get(namespace, counter)), revision);
    isProblem(await get(namespace, old), 404, "key-not-found");
    includes(jsonOf(await command(revision)), { status: "applied", operation: "txn" });
  },

  "a condition that is not met changes nothing, and is named": async (subject) => {
    const { namespace, get } = subject;
    const [a = "", b = ""] = newKeys(subject, 2);
    const first = revisionOf(await commit(subject, [{ op: "put", key: a, value: "1" }]));
    const conditions = [
      { key: a, revision: first },
      { key: b, exists: true },
    ];
    const answer = await commit(subject, [{ op: "put", key: a, value: "2" }], conditions);
    includes(isProblem(answer, 412, "precondition-failed"), { at: "/if/1", key: b });
    assert.equal((await get(namespace, a)).text, "1");
    hasStatus(await commit(subject, [{ op: "put", key: b, value: "2" }], [{ key: a, value: "1" }]), 200);
  },

  "an operation that does not fit its key changes nothing": async (subject) => {
    const { namespace, put, get } = subject;
    const [text = "", other = ""] = newKeys(subject, 2);
    await put(namespace, text, "no number", { headers: WAIT });
    const operations = [
      { op: "put", key: other, value: "v" },
      { op: "increment", key: text, by: "1" },
    ];
    isProblem(await commit(subject, operations), 409, "type-conflict");
    isProblem(await get(namespace, other), 404, "key-not-found");
  },

  "who does not wait is told later": async (subject) => {
    const [key = ""] = newKeys(subject, 1);
    const operations = [{ op: "put", key, value: "v" }];
    const done = isAccepted(await commit(subject, operations, [], {}));
    includes(jsonOf(await subject.command(done, 10)), { status: "applied", operation: "txn" });
    const refused = isAccepted(await commit(subject, operations, [{ key, exists: false }], {}));
    includes(jsonOf(await subject.command(refused, 10)), { status: "rejected", result: { at: "/if/0" } });
  },

  "keys of several partitions are refused, with how they come together": async (subject) => {
    const operations = Array.from({ length: 30 }, () => ({ op: "put", key: subject.newKey(), value: "v" }));
    const answer = await commit(subject, operations);
    // A server of one partition has nothing to refuse.
    if (answer.status !== 200) isProblem(answer, 422, "cross-partition");
    const pinned = { ...subject, namespace: `@${subject.namespace}` };
    hasStatus(await commit(pinned, operations), 200);
  },

  "repeated under its idempotency key it happens once": async (subject) => {
    const [key = ""] = newKeys(subject, 1);
    const headers = { "idempotency-key": `"${subject.newKey()}"`, ...WAIT };
    const operations = [{ op: "increment", key, by: "1" }];
    const first = await commit(subject, operations, [], headers);
    const again = await commit(subject, operations, [], headers);
    assert.deepEqual(jsonOf(again), jsonOf(first));
    hasHeaders(again, { "idempotent-replayed": "true" });
    const other = [{ op: "increment", key, by: "2" }];
    isProblem(await commit(subject, other, [], headers), 422, "idempotency-mismatch");
  },

  ...each(
    WRONG_BODIES,
    (body) => `${JSON.stringify(body)} is no transaction`,
    async ({ namespace, send }, body) => {
      isProblem(await send("POST", `/v1/txn/${namespace}`, { headers: JSON_TYPE, body }), 400, "invalid-transaction");
    },
  ),

  "a body of another type, or too large a one, is refused": async (subject) => {
    const { namespace, send } = subject;
    const path = `/v1/txn/${namespace}`;
    const body = '{"then":[{"op":"delete","key":"a"}]}';
    const headers = { "content-type": "text/plain" };
    isProblem(await send("POST", path, { headers, body }), 415, "unsupported-media-type");
    isProblem(await send("POST", "/v1/txn/-", { headers: JSON_TYPE, body }), 400, "invalid-namespace");
    const large = Buffer.alloc(2 * 1024 * 1024, " ");
    isProblem(await send("POST", path, { headers: JSON_TYPE, body: large }), 413, "value-too-large");
  },
});
