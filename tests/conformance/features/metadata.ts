import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isProblem, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

const KEPT = [
  '{"user":7,"tags":[1, 2]}',
  '"text"',
  "12345678901234567890.5",
  "null",
  '{"e":"\\u00e9"}',
  `"${"x".repeat(1022)}"`,
];
const WRONG = ["{", "text", "{'a':1}", '{"a":1} ,', '"\u00e9"', "", `"${"x".repeat(1023)}"`];

export const metadata = feature("metadata", "metadata stays beside a value, to the letter", {
  ...each(
    KEPT,
    (text) => `${text.slice(0, 40)} comes back as it was given`,
    async ({ namespace, put, get, newKey }, text) => {
      const key = newKey();
      hasStatus(await put(namespace, key, "v", { headers: { "millrace-metadata": text, ...WAIT } }), 201);
      const got = await get(namespace, key);
      hasHeaders(got, { "millrace-metadata": text });
      const same = await get(namespace, key, { headers: { "if-none-match": got.headers.etag ?? "" } });
      hasStatus(same, 304);
      hasHeaders(same, { "millrace-metadata": text });
    },
  ),

  "a put brings its own, or none": async ({ namespace, put, get, newKey }) => {
    const key = newKey();
    await put(namespace, key, "1", { headers: { "millrace-metadata": "1", ...WAIT } });
    await put(namespace, key, "2", { headers: { "millrace-metadata": "2", ...WAIT } });
    hasHeaders(await get(namespace, key), { "millrace-metadata": "2" });
    await put(namespace, key, "3", { headers: WAIT });
    assert.equal((await get(namespace, key)).headers["millrace-metadata"], undefined);
  },

  "counting and patching keep it": async ({ namespace, put, send, increment, get, newKey }) => {
    const [counter, document] = [newKey(), newKey()];
    for (const [key, value] of [
      [counter, "1"],
      [document, "{}"],
    ] as const) {
      await put(namespace, key, value, { headers: { "millrace-metadata": '{"a":1}', ...WAIT } });
    }
    await increment(namespace, counter, "1", { headers: WAIT });
    const headers = { "content-type": "application/merge-patch+json", ...WAIT };
    await send("PATCH", `/v1/kv/${namespace}/${document}`, { headers, body: '{"b":2}' });
    for (const key of [counter, document]) hasHeaders(await get(namespace, key), { "millrace-metadata": '{"a":1}' });
  },

  ...each(
    WRONG,
    (text) => `${JSON.stringify(text.slice(0, 20))} of ${text.length} characters is refused`,
    async ({ namespace, put, get, newKey }, text) => {
      const key = newKey();
      const answer = await put(namespace, key, "v", { headers: { "millrace-metadata": text, ...WAIT } });
      isProblem(answer, 400, "invalid-metadata");
      isProblem(await get(namespace, key), 404, "key-not-found");
    },
  ),
});
