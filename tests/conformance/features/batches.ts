import assert from "node:assert/strict";
import type { Answer } from "../../harness/http.ts";
import { hasHeaders, hasStatus, includes, isProblem, jsonOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import type { Subject } from "../subject.ts";

const JSON_TYPE = { "content-type": "application/json" } as const;
const LINES_TYPE = { "content-type": "application/x-ndjson" } as const;
const REVISION = /^\d{2,4}-\d+-\d+$/;
const DOCUMENT = '{ "big":12345678901234567890, "n":1.50,"é":"\\u00e9" ,"a":[],"o":{}}';

type Given = Readonly<Record<string, unknown>>;

interface Result extends Given {
  readonly status: number;
  readonly revision?: string;
}

const post = (
  { namespace, send }: Subject,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> => send("POST", `/v1/batch/${namespace}`, { headers: { ...JSON_TYPE, ...WAIT, ...headers }, body });

async function batch(
  subject: Subject,
  items: readonly Given[],
  headers: Record<string, string> = {},
): Promise<readonly Result[]> {
  const answer = await post(subject, JSON.stringify(items), headers);
  hasStatus(answer, 200);
  const { results } = jsonOf(answer);
  assert.ok(Array.isArray(results) && results.length === items.length, answer.text);
  return results as readonly Result[];
}

/** What is wrong with one item: it is told this, and the others go on. */
const WRONG_ITEMS: readonly (readonly [item: unknown, status: number, slug: string])[] = [
  [null, 400, "invalid-operation"],
  [{ op: "fly", key: "k" }, 400, "invalid-operation"],
  [{ op: "put", key: "k" }, 400, "invalid-operation"],
  [{ op: "put", key: "k", value: "", json: 1 }, 400, "invalid-operation"],
  [{ op: "put", key: "k", value: "_w==", encoding: "base64" }, 400, "invalid-operation"],
  [{ op: "put", key: "k", json: 1, encoding: "text" }, 400, "invalid-operation"],
  [{ op: "put", key: "k", value: "", more: 1 }, 400, "invalid-operation"],
  [{ op: "patch", key: "k" }, 400, "invalid-operation"],
  [{ op: "put", key: "", value: "" }, 400, "invalid-key"],
  [{ op: "put", key: "..", value: "" }, 400, "invalid-key"],
  [{ op: "put", key: "k".repeat(1025), value: "" }, 414, "key-too-long"],
  [{ op: "put", key: "k", value: "", ttl: 0 }, 400, "invalid-expiry"],
  [{ op: "put", key: "k", value: "", metadata: "x".repeat(1024) }, 400, "invalid-metadata"],
  [{ op: "put", key: "k", value: "", content_type: "é" }, 400, "invalid-content-type"],
  [{ op: "put", key: "k", value: "", if_match: "v1" }, 400, "invalid-precondition"],
  [{ op: "put", key: "k", value: "", idempotency_key: "" }, 400, "invalid-idempotency-key"],
  [{ op: "increment", key: "k", by: "9223372036854775808" }, 400, "invalid-increment"],
];

const WRONG_BODIES = ["", "{", "null", "{}", '{"op":"put","key":"a","value":"v"}', '{"operations":[],"atomic":true}'];

export const batches = feature("batch", "a batch is many writes, each with a result of its own", {
  "each is told in its place, with what it came to": async (subject) => {
    const { namespace, newKey, get } = subject;
    const [text, bytes, counter, document] = [newKey(), newKey(), newKey(), newKey()];
    const results = await batch(subject, [
      { op: "put", key: text, value: "héllo" },
      { op: "put", key: bytes, value: "/wAB", encoding: "base64" },
      { op: "increment", key: counter, by: "9007199254740993" },
      { op: "increment", key: counter, by: 1 },
      { op: "increment", key: text, by: 1 },
      { op: "patch", key: document, patch: { a: 1 } },
      { op: "put", key: text, value: "again", content_type: "x/y", if_match: "*" },
      { op: "put", key: text, value: "no", if_none_match: "*" },
      { op: "delete", key: bytes },
    ]);
    const statuses = results.map(({ status }) => status);
    assert.deepEqual(statuses, [201, 201, 200, 200, 409, 201, 204, 412, 204]);
    for (const { revision } of results) assert.match(String(revision), REVISION);
    includes(results[0], { location: `/v1/kv/${namespace}/${text}` });
    assert.deepEqual([results[2]?.value, results[3]?.value], ["9007199254740993", "9007199254740994"]);
    includes(results[4], { problem: { type: "/problems/type-conflict", status: 409 } });
    includes(results[7], { problem: { type: "/problems/precondition-failed", status: 412 } });
    const written = await get(namespace, text);
    assert.deepEqual([written.text, written.headers["content-type"]], ["again", "x/y"]);
    hasHeaders(written, { etag: `"${results[6]?.revision}"` });
    isProblem(await get(namespace, bytes), 404, "key-not-found");
    assert.equal((await get(namespace, document)).text, '{"a":1}');
  },

  "the answer says what it is, and that it was waited": async (subject) => {
    const answer = await post(subject, '{"operations":[]}');
    hasStatus(answer, 200);
    hasHeaders(answer, { "content-type": "application/json", "preference-applied": "wait=10" });
    assert.deepEqual(jsonOf(answer), { results: [] });
  },

  "line by line it is answered line by line; a bad line harms no other, and an empty one is none": async (subject) => {
    const { namespace, newKey, get } = subject;
    const key = newKey();
    const increment = JSON.stringify({ op: "increment", key, by: 1 });
    const answer = await post(subject, `${increment}\r\n\n{"op":\n${increment}`, LINES_TYPE);
    hasStatus(answer, 200);
    hasHeaders(answer, { "content-type": "application/x-ndjson" });
    const results = answer.text.trimEnd().split("\n");
    const told = results.map((line) => JSON.parse(line) as Result);
    assert.deepEqual(
      told.map(({ status, value }) => [status, value]),
      [
        [200, "1"],
        [400, undefined],
        [200, "2"],
      ],
    );
    assert.equal((await get(namespace, key)).text, "2");
  },

  "an operation is the same in a transaction": async (subject) => {
    const { namespace, send, get, newKey } = subject;
    const tag = newKey();
    const [text, bytes, json, counter, patched] = ["t", "b", "j", "n", "p"].map((name) => `{${tag}}/${name}`);
    const operations = [
      `{"op":"put","key":"${text}","value":"é","metadata":{"é":12345678901234567890},"ttl":3600}`,
      `{"op":"put","key":"${bytes}","value":"/wAB","encoding":"base64"}`,
      `{"op":"put","key":"${json}","json":${DOCUMENT}}`,
      `{"op":"increment","key":"${counter}","by":"9007199254740993"}`,
      `{"op":"patch","key":"${patched}","patch":{"big":12345678901234567890}}`,
    ].join(" ,\n");
    const seen = async () => {
      const answers = await Promise.all([text, bytes, json, counter, patched].map((key = "") => get(namespace, key)));
      return answers.map((answer) => {
        hasStatus(answer, 200);
        const { "content-type": type, "millrace-metadata": metadata, "millrace-expires-at": expires } = answer.headers;
        return [answer.body.toString("base64"), type, metadata, expires !== undefined];
      });
    };
    hasStatus(await post(subject, `[${operations}]`), 200);
    const first = await seen();
    const base64 = (value: string) => Buffer.from(value).toString("base64");
    assert.deepEqual(first, [
      [base64("é"), "text/plain;charset=utf-8", '{"\\u00e9":12345678901234567890}', true],
      ["/wAB", "application/octet-stream", undefined, false],
      [base64(DOCUMENT), "application/json", undefined, false],
      [base64("9007199254740993"), "text/plain", undefined, false],
      [base64('{"big":12345678901234567890}'), "application/json", undefined, false],
    ]);
    await batch(
      subject,
      [text, bytes, json, counter, patched].map((key) => ({ op: "delete", key })),
    );
    const headers = { ...JSON_TYPE, ...WAIT };
    hasStatus(await send("POST", `/v1/txn/${namespace}`, { headers, body: `{"then":[${operations}]}` }), 200);
    assert.deepEqual(await seen(), first);
  },

  "who does not wait is told where to ask": async (subject) => {
    const items = [{ op: "put", key: subject.newKey(), value: "v" }];
    const [result] = await batch(subject, items, { prefer: "respond-async" });
    includes(result, { status: 202, location: `/v1/commands/${result?.revision}` });
    includes(jsonOf(await subject.command(String(result?.revision), 10)), { status: "applied", operation: "put" });
  },

  "repeated under its idempotency key each happens once": async (subject) => {
    const key = subject.newKey();
    const headers = { "idempotency-key": `"${subject.newKey()}"` };
    const items = [
      { op: "increment", key, by: 1 },
      { op: "increment", key, by: 1, idempotency_key: subject.newKey() },
    ];
    const first = await batch(subject, items, headers);
    const again = await batch(subject, items, headers);
    assert.deepEqual(
      again.map(({ revision, value, replayed }) => [revision, value, replayed]),
      first.map(({ revision, value }) => [revision, value, true]),
    );
    const [other] = await batch(subject, [{ op: "increment", key, by: 2 }], headers);
    includes(other, { status: 422, problem: { type: "/problems/idempotency-mismatch" } });
  },

  ...each(
    WRONG_ITEMS,
    ([item, , slug]) => `${JSON.stringify(item).slice(0, 80)} is ${slug}, and the others go on`,
    async (subject, [item, status, slug]) => {
      const put = { op: "put", key: subject.newKey(), value: "v" };
      const results = await batch(subject, [put, item as Given, put]);
      includes(results[1], { status, problem: { type: `/problems/${slug}`, status } });
      assert.deepEqual([results[0]?.status, results[2]?.status], [201, 204]);
    },
  ),

  ...each(
    WRONG_BODIES,
    (body) => `${JSON.stringify(body)} is no batch`,
    async (subject, body) => {
      isProblem(await post(subject, body), 400, "invalid-batch");
    },
  ),

  "a body of another type, or too large a one, is refused, and nothing is written": async (subject) => {
    const { namespace, newKey, send, get } = subject;
    const key = newKey();
    const put = { op: "put", key, value: "v" };
    const body = JSON.stringify([put]);
    isProblem(await post(subject, body, { "content-type": "text/plain" }), 415, "unsupported-media-type");
    isProblem(await send("POST", "/v1/batch/-", { headers: JSON_TYPE, body }), 400, "invalid-namespace");
    isProblem(await post(subject, body, { "millrace-grade": "best" }), 400, "invalid-grade");
    const many = JSON.stringify(Array.from({ length: 1001 }, () => put));
    isProblem(await post(subject, many), 413, "batch-too-large");
    isProblem(await post(subject, Buffer.alloc(8 * 1024 * 1024 + 1, " ")), 413, "batch-too-large");
    isProblem(await get(namespace, key), 404, "key-not-found");
  },
});
