import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isProblem, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

const VALUES: readonly (readonly [name: string, value: Buffer])[] = [
  ["an empty value", Buffer.alloc(0)],
  ["all 256 byte values", Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
  ["line feeds and tabs first", Buffer.from("\n\t\n1-2\tx\n")],
  ["1 MiB", Buffer.alloc(1024 * 1024, "0123456789abcdef")],
];

const KEYS = [
  "a/b/c",
  "/",
  "//",
  "schlüssel",
  "鍵 🔑",
  "a b+c&d=e?f#g",
  "%",
  "%2F",
  "{tag}/x",
  "{}",
  "'\"\\<>",
  "k".repeat(1024),
  "ü".repeat(512),
];

export const values = feature("values", "values are bytes, and come out as they went in", {
  ...each(
    VALUES,
    ([name]) => `${name} comes out byte for byte, with its content type, length and revision`,
    async ({ namespace, put, get }, [name, value]) => {
      const headers = { "content-type": "Application/X-Test; a=B", ...WAIT };
      const written = await put(namespace, name, value, { headers });
      hasStatus(written, 201);
      const got = await get(namespace, name);
      hasStatus(got, 200);
      assert.ok(got.body.equals(value));
      hasHeaders(got, {
        "content-type": "Application/X-Test; a=B",
        "content-length": String(value.byteLength),
        etag: `"${revisionOf(written)}"`,
      });
    },
  ),

  ...each(
    KEYS,
    (key) => `the key ${JSON.stringify(key.length > 100 ? `${key[0]} ${key.length} times` : key)} names one value`,
    async ({ namespace, put, get, remove }, key) => {
      hasStatus(await put(namespace, key, `value of ${key}`, { headers: WAIT }), 201);
      assert.equal((await get(namespace, key)).text, `value of ${key}`);
      hasStatus(await remove(namespace, key, { headers: WAIT }), 204);
      isProblem(await get(namespace, key), 404, "key-not-found");
    },
  ),

  "a slash in a key may be written plain or encoded": async ({ namespace, send }) => {
    await send("PUT", `/v1/kv/${namespace}/dir/file`, { body: "v", headers: WAIT });
    assert.equal((await send("GET", `/v1/kv/${namespace}/dir%2Ffile`)).text, "v");
  },

  "upper and lower case are two keys": async ({ namespace, put, get }) => {
    await put(namespace, "Case", "upper", { headers: WAIT });
    isProblem(await get(namespace, "case"), 404, "key-not-found");
  },

  "namespaces do not see each other": async ({ namespace, put, get, newKey }) => {
    const key = newKey();
    await put(namespace, key, "1", { headers: WAIT });
    isProblem(await get(`${namespace}.other`, key), 404, "key-not-found");
  },

  "a write tells whether it created or replaced, and where the value is": async ({ namespace, put, newKey }) => {
    const key = newKey();
    const created = await put(namespace, key, "1", { headers: WAIT });
    hasStatus(created, 201);
    hasHeaders(created, { location: `/v1/kv/${namespace}/${key}`, etag: `"${revisionOf(created)}"` });
    const replaced = await put(namespace, key, "2", { headers: WAIT });
    hasStatus(replaced, 204);
    hasHeaders(replaced, { etag: `"${revisionOf(replaced)}"` });
  },

  "a deletion is 204 whether there was something or not, and the next write creates": async (subject) => {
    const { namespace, put, remove, newKey } = subject;
    const key = newKey();
    await put(namespace, key, "1", { headers: WAIT });
    hasStatus(await remove(namespace, key, { headers: WAIT }), 204);
    hasStatus(await remove(namespace, key, { headers: WAIT }), 204);
    hasStatus(await put(namespace, key, "2", { headers: WAIT }), 201);
  },
});
