import assert from "node:assert/strict";
import { hasStatus, isProblem, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

const KEPT = [
  "text/plain",
  "application/json; charset=UTF-8",
  'TEXT/html;a="b c"',
  `x/${"y".repeat(253)}`,
  "no type at all",
];

export const contentTypes = feature("types", "a value keeps its content type, verbatim", {
  ...each(
    KEPT,
    (type) => `${JSON.stringify(type.slice(0, 40))} of ${type.length} characters comes out as it went in`,
    async ({ namespace, put, get, newKey }, type) => {
      const key = newKey();
      hasStatus(await put(namespace, key, "v", { headers: { "content-type": type, ...WAIT } }), 201);
      assert.equal((await get(namespace, key)).headers["content-type"], type);
    },
  ),

  "a value whose writer says nothing is application/octet-stream": async ({ namespace, send, get, newKey }) => {
    const key = newKey();
    hasStatus(await send("PUT", `/v1/kv/${namespace}/${key}`, { body: "v", headers: WAIT }), 201);
    assert.equal((await get(namespace, key)).headers["content-type"], "application/octet-stream");
  },

  "a replacement brings its own type": async ({ namespace, put, get, newKey }) => {
    const key = newKey();
    await put(namespace, key, "{}", { headers: { "content-type": "application/json" } });
    await put(namespace, key, "v", { headers: { "content-type": "text/css", ...WAIT } });
    assert.equal((await get(namespace, key)).headers["content-type"], "text/css");
  },

  ...each(
    ["x".repeat(256), "text/pl\u00e4in", "a\tb"],
    (type) => `${JSON.stringify(type.slice(0, 20))} of ${type.length} characters is refused`,
    async ({ namespace, put, get, newKey }, type) => {
      const key = newKey();
      isProblem(
        await put(namespace, key, "v", { headers: { "content-type": type, ...WAIT } }),
        400,
        "invalid-content-type",
      );
      isProblem(await get(namespace, key), 404, "key-not-found");
    },
  ),
});
