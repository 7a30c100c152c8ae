import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isProblem, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import type { Subject } from "../subject.ts";

const WRONG = [
  "ttl=0",
  "ttl=-1",
  "ttl=1.5",
  "ttl=x",
  "ttl=",
  "ttl=99999999999",
  "ttl=5&ttl=6",
  "expires_at=1",
  "expires_at=x",
  "expires_at=999999999999",
  "ttl=5&keep_ttl",
  "ttl=5&expires_at=4102444800",
  "keep_ttl=no",
];

/** Longer than any check takes. */
const LONG_S = 3600;

const pathOf = ({ namespace }: Subject, key: string, query: string) => `/v1/kv/${namespace}/${key}?${query}`;

async function expiryOf({ namespace, get }: Subject, key: string): Promise<string | undefined> {
  const { headers } = await get(namespace, key);
  const at = headers["millrace-expires-at"];
  return at === undefined ? undefined : String(at);
}

export const expiry = feature("expiry", "a key is gone when its time is over", {
  "for readers, for conditions and for counters": async (subject) => {
    const { namespace, send, get, put, increment, newKey } = subject;
    const [plain, counter] = [newKey(), newKey()];
    hasStatus(await send("PUT", pathOf(subject, plain, "ttl=1"), { body: "v", headers: WAIT }), 201);
    hasStatus(await send("POST", pathOf(subject, counter, "increment=7&ttl=1"), { headers: WAIT }), 200);
    const startMs = performance.now();
    while ((await get(namespace, plain)).status === 200 || (await get(namespace, counter)).status === 200) {
      assert.ok(performance.now() - startMs < 25_000, "it is still there after 25 s");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    isProblem(await get(namespace, plain), 404, "key-not-found");
    hasStatus(await put(namespace, plain, "again", { headers: { "if-none-match": "*", ...WAIT } }), 201);
    assert.equal((await increment(namespace, counter, "1", { headers: WAIT })).text, "1");
    // What came after it lives on.
    assert.equal((await get(namespace, plain)).text, "again");
  },

  "a read tells when, to the millisecond": async (subject) => {
    const { send, newKey } = subject;
    const key = newKey();
    await send("PUT", pathOf(subject, key, "expires_at=4102444800.125"), { body: "v", headers: WAIT });
    assert.equal(await expiryOf(subject, key), "4102444800.125");
    const beforeS = Date.now() / 1000;
    await send("PUT", pathOf(subject, key, `ttl=${LONG_S}`), { body: "v", headers: WAIT });
    // Clocks of two machines may differ by some minutes.
    assert.ok(Math.abs(Number(await expiryOf(subject, key)) - beforeS - LONG_S) < 600);
  },

  "a put takes it away, unless it says keep_ttl": async (subject) => {
    const { namespace, send, put, newKey } = subject;
    const key = newKey();
    await send("PUT", pathOf(subject, key, "expires_at=4102444800"), { body: "1", headers: WAIT });
    await send("PUT", pathOf(subject, key, "keep_ttl"), { body: "2", headers: WAIT });
    assert.equal(await expiryOf(subject, key), "4102444800");
    await put(namespace, key, "3", { headers: WAIT });
    assert.equal(await expiryOf(subject, key), undefined);
    await send("PUT", pathOf(subject, key, "keep_ttl"), { body: "4", headers: WAIT });
    assert.equal(await expiryOf(subject, key), undefined);
  },

  "counting and patching keep it, unless they give another": async (subject) => {
    const { namespace, send, increment, newKey } = subject;
    const [counter, document] = [newKey(), newKey()];
    const patch = { headers: { "content-type": "application/merge-patch+json", ...WAIT }, body: '{"a":1}' };
    await send("POST", pathOf(subject, counter, "increment=1&expires_at=4102444800"), { headers: WAIT });
    await increment(namespace, counter, "1", { headers: WAIT });
    assert.equal(await expiryOf(subject, counter), "4102444800");
    await send("PATCH", pathOf(subject, document, "expires_at=4102444800"), patch);
    await send("PATCH", `/v1/kv/${namespace}/${document}`, patch);
    assert.equal(await expiryOf(subject, document), "4102444800");
    await send("PATCH", pathOf(subject, document, "expires_at=4102444801"), patch);
    assert.equal(await expiryOf(subject, document), "4102444801");
  },

  "a deletion takes it along": async (subject) => {
    const { namespace, send, remove, put, newKey } = subject;
    const key = newKey();
    await send("PUT", pathOf(subject, key, `ttl=${LONG_S}`), { body: "1", headers: WAIT });
    await remove(namespace, key, { headers: WAIT });
    await put(namespace, key, "2", { headers: WAIT });
    assert.equal(await expiryOf(subject, key), undefined);
  },

  "304 tells it too": async (subject) => {
    const { namespace, send, get, newKey } = subject;
    const key = newKey();
    const { headers } = await send("PUT", pathOf(subject, key, "expires_at=4102444800"), { body: "1", headers: WAIT });
    const same = await get(namespace, key, { headers: { "if-none-match": headers.etag ?? "" } });
    hasStatus(same, 304);
    hasHeaders(same, { "millrace-expires-at": "4102444800" });
  },

  ...each(
    WRONG,
    (query) => `?${query} is refused, and nothing is written`,
    async (subject, query) => {
      const { namespace, send, get, newKey } = subject;
      const key = newKey();
      isProblem(await send("PUT", pathOf(subject, key, query), { body: "v", headers: WAIT }), 400, "invalid-expiry");
      isProblem(await send("POST", pathOf(subject, key, `increment=1&${query}`)), 400, "invalid-expiry");
      isProblem(await get(namespace, key), 404, "key-not-found");
    },
  ),
});
