import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isProblem, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

export const reading = feature("reading", "reads are conditional, and no browser runs a value as a page", {
  "If-None-Match with the present revision is 304, without a body": async ({ namespace, put, get, newKey }) => {
    const key = newKey();
    const { etag = "" } = (await put(namespace, key, "value", { headers: WAIT })).headers;
    const same = await get(namespace, key, { headers: { "if-none-match": etag } });
    assert.deepEqual([same.status, same.body.byteLength, same.headers.etag], [304, 0, etag]);
    hasHeaders(same, { "cache-control": "no-cache", "last-modified": / GMT$/ });
    await put(namespace, key, "other", { headers: WAIT });
    hasStatus(await get(namespace, key, { headers: { "if-none-match": etag } }), 200);
  },

  ...each(
    [(etag: string) => `W/${etag}`, (etag: string) => `"x", ${etag}`, () => "*"],
    (form) => `If-None-Match: ${form('"<revision>"')} is 304 too`,
    async ({ namespace, put, get, newKey }, form) => {
      const key = newKey();
      const { etag = "" } = (await put(namespace, key, "value", { headers: WAIT })).headers;
      hasStatus(await get(namespace, key, { headers: { "if-none-match": form(etag) } }), 304);
    },
  ),

  "If-None-Match on a key that is not there is 404": async ({ namespace, get, newKey }) => {
    isProblem(await get(namespace, newKey(), { headers: { "if-none-match": "*" } }), 404, "key-not-found");
  },

  "what is told beside the value: revision, time, and that it is to be revalidated": async (subject) => {
    const { namespace, put, get, newKey } = subject;
    const key = newKey();
    const written = await put(namespace, key, "<script>", { headers: { "content-type": "text/html", ...WAIT } });
    const got = await get(namespace, key);
    hasHeaders(got, {
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox",
      "millrace-revision": revisionOf(written),
    });
    const modified = Date.parse(got.headers["last-modified"] ?? "");
    const ms = Number(revisionOf(written).split("-")[1]);
    assert.equal(modified, Math.floor(ms / 1000) * 1000);
  },

  "a parameter that is not known is refused rather than ignored": async ({ namespace, send, newKey }) => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await send(method, `/v1/kv/${namespace}/${newKey()}?colour=red`);
      isProblem(answer, 400, "unknown-parameter");
    }
    isProblem(await send("POST", `/v1/kv/${namespace}/${newKey()}?increment=1&colour=red`), 400, "unknown-parameter");
    for (const path of ["/v1/partitions", "/v1/commands/00-1-1", "/v1/dead-letters", "/v1/partitions/0"]) {
      isProblem(await send("GET", `${path}?colour=red`), 400, "unknown-parameter");
    }
  },
});
