import assert from "node:assert/strict";
import { MERGE_PATCH_CASES } from "../../harness/rfc-7396.ts";
import { hasHeaders, hasStatus, includes, isAccepted, isProblem, jsonOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import type { Subject } from "../subject.ts";

const TYPE = { "content-type": "application/merge-patch+json" } as const;

const WRONG_PATCHES = ["", "{", "{'a':1}", '{"a":1}x', "undefined", `${"[".repeat(66)}${"]".repeat(66)}`];

const send = (
  { namespace, send: ask }: Subject,
  key: string,
  patch: string | Buffer,
  headers: Record<string, string> = {},
) => ask("PATCH", `/v1/kv/${namespace}/${key}`, { headers: { ...TYPE, ...WAIT, ...headers }, body: patch });

export const patch = feature("patch", "PATCH merges a part of a document (RFC 7396), in the order of the log", {
  ...each(
    MERGE_PATCH_CASES,
    ([original, change]) => `${original} with ${change} is what the RFC says`,
    async (subject, [original, change, result]) => {
      const { namespace, put, get, newKey } = subject;
      const key = newKey();
      await put(namespace, key, original, { headers: { "content-type": "application/json", ...WAIT } });
      hasStatus(await send(subject, key, change), 204);
      assert.deepEqual(JSON.parse((await get(namespace, key)).text), JSON.parse(result));
    },
  ),

  "what it does not name stays as it was written: numbers beyond 2^53, [] and {}, spaces": async (subject) => {
    const { namespace, put, get, newKey } = subject;
    const key = newKey();
    const original = '{"n":12345678901234567890, "e":[],"o":{} ,"f":1.10,"x":0}';
    await put(namespace, key, original, { headers: WAIT });
    await send(subject, key, '{"x":18446744073709551615}');
    const { text } = await get(namespace, key);
    for (const part of ["12345678901234567890", "[]", "{}", "1.10", "18446744073709551615"])
      assert.ok(text.includes(part));
  },

  "a missing key counts as {}, and becomes JSON": async (subject) => {
    const { namespace, get, newKey } = subject;
    const key = newKey();
    const created = await send(subject, key, '{"a":1,"b":null}');
    hasStatus(created, 201);
    hasHeaders(created, { location: `/v1/kv/${namespace}/${key}`, etag: /^"/ });
    const got = await get(namespace, key);
    assert.deepEqual([got.text, got.headers["content-type"]], ['{"a":1}', "application/json"]);
  },

  "the value's own type stays": async (subject) => {
    const { namespace, put, get, newKey } = subject;
    const key = newKey();
    await put(namespace, key, "{}", { headers: { "content-type": "application/ld+json", ...WAIT } });
    await send(subject, key, '{"a":1}');
    hasHeaders(await get(namespace, key), { "content-type": "application/ld+json" });
  },

  "it keeps conditions": async (subject) => {
    const { namespace, put, newKey } = subject;
    const key = newKey();
    const { etag = "" } = (await put(namespace, key, "{}", { headers: WAIT })).headers;
    hasStatus(await send(subject, key, '{"a":1}', { "if-match": etag }), 204);
    isProblem(await send(subject, key, '{"a":2}', { "if-match": etag }), 412, "precondition-failed");
  },

  "of 50 at once none is lost": async (subject) => {
    const { namespace, get, newKey } = subject;
    const key = newKey();
    await Promise.all(Array.from({ length: 50 }, (_, n) => send(subject, key, `{"k${n}":${n}}`)));
    assert.equal(Object.keys(JSON.parse((await get(namespace, key)).text) as object).length, 50);
  },

  "who does not wait is told later": async (subject) => {
    const { namespace, put, command, newKey } = subject;
    const key = newKey();
    await put(namespace, key, "no json", { headers: WAIT });
    const revision = isAccepted(await send(subject, key, "{}", { prefer: "respond-async" }));
    includes(jsonOf(await command(revision, 10)), {
      status: "rejected",
      operation: "patch",
      result: { reason: "not-json" },
    });
  },

  "a value that is no JSON is refused, and stays": async (subject) => {
    const { namespace, put, get, newKey } = subject;
    const key = newKey();
    await put(namespace, key, "no json", { headers: WAIT });
    isProblem(await send(subject, key, '{"a":1}'), 409, "type-conflict");
    assert.equal((await get(namespace, key)).text, "no json");
  },

  "a value that is too large to be patched is refused, and so is such a patch": async (subject) => {
    const { namespace, put, newKey } = subject;
    const key = newKey();
    await put(namespace, key, `"${"x".repeat(64 * 1024)}"`, { headers: WAIT });
    isProblem(await send(subject, key, '{"a":1}'), 413, "value-too-large");
    isProblem(await send(subject, newKey(), `"${"x".repeat(64 * 1024)}"`), 413, "value-too-large");
  },

  ...each(
    WRONG_PATCHES,
    (text) => `${JSON.stringify(text.slice(0, 20))} is no patch`,
    async (subject, text) => {
      isProblem(await send(subject, subject.newKey(), text), 400, "invalid-patch");
    },
  ),

  "bytes that are no UTF-8 are no patch": async (subject) => {
    isProblem(await send(subject, subject.newKey(), Buffer.from([0x22, 0xff, 0x22])), 400, "invalid-patch");
  },

  ...each(
    ["application/json", "text/plain", "application/json-patch+json"],
    (type) => `${type} is not a merge patch, and which type is taken is told`,
    async (subject, type) => {
      const answer = await send(subject, subject.newKey(), "{}", { "content-type": type });
      isProblem(answer, 415, "unsupported-media-type");
      hasHeaders(answer, { "accept-patch": "application/merge-patch+json" });
    },
  ),

  "wrong keys, namespaces and parameters are refused as for any other write": async (subject) => {
    const { namespace, send: ask } = subject;
    const options = { headers: TYPE, body: "{}" };
    isProblem(await ask("PATCH", `/v1/kv/${namespace}/${"k".repeat(1025)}`, options), 414, "key-too-long");
    isProblem(await ask("PATCH", `/v1/kv/-/k`, options), 400, "invalid-namespace");
    isProblem(await ask("PATCH", `/v1/kv/${namespace}/k?colour=red`, options), 400, "unknown-parameter");
  },
});
