import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isAccepted, isProblem, jsonOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

const UNREADABLE = [
  "wait",
  "wait=",
  "wait=-1",
  "wait=1.5",
  "wait=abc",
  "return=minimal",
  "; ;,",
  "respond-asynchronously",
];

export const preferences = feature("prefer", "a client is answered at once, or waits for the result (RFC 7240)", {
  "who prefers nothing gets 202, with a revision, a grade and where to ask": async ({ namespace, put, newKey }) => {
    const answer = await put(namespace, newKey(), "v");
    isAccepted(answer);
    hasHeaders(answer, { "millrace-grade": /^(memory|replicated|disk)$/, "content-length": "0" });
    assert.equal(answer.headers["preference-applied"], undefined);
  },

  "respond-async is applied, and said so": async ({ namespace, put, increment, remove, newKey }) => {
    const key = newKey();
    const headers = { prefer: "respond-async" };
    for (const answer of [
      await put(namespace, key, "1", { headers }),
      await increment(namespace, key, "1", { headers }),
      await remove(namespace, key, { headers }),
    ]) {
      isAccepted(answer);
      hasHeaders(answer, { "preference-applied": "respond-async" });
    }
  },

  ...each(
    ["wait=10", "WAIT=10", 'wait="10"', "respond-async, wait=10", "foo, wait=10; bar", "wait=10, wait=1"],
    (prefer) => `${prefer} waits, and says for how long`,
    async ({ namespace, put, newKey }, prefer) => {
      const answer = await put(namespace, newKey(), "v", { headers: { prefer } });
      hasStatus(answer, 201);
      hasHeaders(answer, { "preference-applied": "wait=10" });
    },
  ),

  "nobody waits for longer than 30 s: the answer says what it is": async ({ namespace, put, newKey }) => {
    const answer = await put(namespace, newKey(), "v", { headers: { prefer: "wait=86400" } });
    hasStatus(answer, 201);
    hasHeaders(answer, { "preference-applied": "wait=30" });
  },

  "wait=0 waits for nothing": async ({ namespace, put, newKey }) => {
    const answer = await put(namespace, newKey(), "v", { headers: { prefer: "wait=0" } });
    isAccepted(answer);
    hasHeaders(answer, { "preference-applied": "wait=0" });
  },

  ...each(
    UNREADABLE,
    (prefer) => `${JSON.stringify(prefer)} is no preference known here, and is ignored`,
    async ({ namespace, put, newKey }, prefer) => {
      const answer = await put(namespace, newKey(), "v", { headers: { prefer } });
      isAccepted(answer);
      assert.equal(answer.headers["preference-applied"], undefined);
    },
  ),

  "a wait for what will not come ends when its time is over": async ({ namespace, put, get, newKey }) => {
    const key = newKey();
    const { headers } = await put(namespace, key, "v", { headers: WAIT });
    const future = String(headers["millrace-revision"]).replace(
      /-(\d+)-/,
      (_, ms: string) => `-${Number(ms) + 3_600_000}-`,
    );
    const startMs = performance.now();
    const answer = await get(namespace, key, { headers: { "millrace-min-revision": future, prefer: "wait=1" } });
    isProblem(answer, 503, "revision-not-reached");
    hasHeaders(answer, { "retry-after": "1" });
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs > 900 && tookMs < 12_000, `it took ${tookMs} ms`);
  },

  "what was accepted without waiting is told under its location, once it is applied": async (subject) => {
    const { namespace, increment, send, newKey } = subject;
    const { headers } = await increment(namespace, newKey(), "5");
    const told = await send("GET", `${headers.location}?wait=10`);
    hasStatus(told, 200);
    assert.deepEqual(jsonOf(told).status, "applied");
  },
});
