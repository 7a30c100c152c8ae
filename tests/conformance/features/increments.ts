import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isProblem, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

const WRONG = [
  "",
  "?increment=",
  "?increment=1e3",
  "?increment=1.5",
  "?increment=x",
  "?increment=9223372036854775808",
  "?increment=-9223372036854775809",
  "?increment=1&increment=2",
  "?increment=%201",
];

export const increments = feature("counters", "counters are exact to 64 bits", {
  "a key that is not there counts from 0, and the new value is told": async ({ namespace, increment, get, newKey }) => {
    const key = newKey();
    const answer = await increment(namespace, key, "5", { headers: WAIT });
    hasStatus(answer, 200);
    assert.equal(answer.text, "5");
    hasHeaders(answer, {
      "content-type": "text/plain",
      etag: `"${revisionOf(answer)}"`,
      "preference-applied": "wait=10",
    });
    const got = await get(namespace, key);
    assert.deepEqual(
      [got.text, got.headers["content-type"], got.headers.etag],
      ["5", "text/plain", answer.headers.etag],
    );
  },

  "sums beyond 2^53 and down to -2^63 are exact": async ({ namespace, increment, newKey }) => {
    const [up, down] = [newKey(), newKey()];
    const steps = [
      [up, "9223372036854775806", "9223372036854775806"],
      [up, "%2B1", "9223372036854775807"],
      [up, "-9223372036854775807", "0"],
      [down, "-9223372036854775808", "-9223372036854775808"],
      [down, "1", "-9223372036854775807"],
    ] as const;
    for (const [key, by, sum] of steps) {
      assert.equal((await increment(namespace, key, by, { headers: WAIT })).text, sum);
    }
  },

  "a sum that does not fit is refused, and the counter stays": async ({ namespace, increment, get, newKey }) => {
    const key = newKey();
    await increment(namespace, key, "9223372036854775807", { headers: WAIT });
    isProblem(await increment(namespace, key, "1", { headers: WAIT }), 409, "type-conflict");
    assert.equal((await get(namespace, key)).text, "9223372036854775807");
  },

  ...each(
    ["no number", "", "1.5", "0x10", "9223372036854775808", " 1"],
    (text) => `a value ${JSON.stringify(text)} is no counter, and stays as it is`,
    async ({ namespace, put, increment, get, newKey }, text) => {
      const key = newKey();
      await put(namespace, key, text, { headers: WAIT });
      isProblem(await increment(namespace, key, "1", { headers: WAIT }), 409, "type-conflict");
      assert.equal((await get(namespace, key)).text, text);
    },
  ),

  "a value that somebody has put counts on, and keeps its content type": async (subject) => {
    const { namespace, put, increment, get, newKey } = subject;
    const key = newKey();
    await put(namespace, key, "-41", { headers: { "content-type": "application/json", ...WAIT } });
    assert.equal((await increment(namespace, key, "83", { headers: WAIT })).text, "42");
    assert.equal((await get(namespace, key)).headers["content-type"], "application/json");
  },

  "100 increments at once are 100": async ({ namespace, increment, get, newKey }) => {
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => increment(namespace, key, "1", { headers: WAIT })),
    );
    const sums = answers.map(({ text }) => Number(text)).sort((a, b) => a - b);
    assert.deepEqual(
      sums,
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    assert.equal((await get(namespace, key)).text, "100");
  },

  ...each(
    WRONG,
    (query) => `POST ${query === "" ? "without an increment" : query} is refused`,
    async ({ namespace, send, newKey }, query) => {
      isProblem(await send("POST", `/v1/kv/${namespace}/${newKey()}${query}`), 400, "invalid-increment");
    },
  ),
});
