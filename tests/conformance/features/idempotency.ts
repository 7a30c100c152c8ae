import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isAccepted, isProblem, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import type { Subject } from "../subject.ts";

const WRONG = ["", '""', "with space", '"open', '"a", "b"', "ü", `"${"x".repeat(257)}"`];

const underKey = ({ newKey }: Subject) => ({ "idempotency-key": `"${newKey()}"`, ...WAIT });

export const idempotency = feature("repeats", "a write repeated under its Idempotency-Key happens once", {
  "and is answered as the first was: an increment with the value it made": async (subject) => {
    const { namespace, increment, get, newKey } = subject;
    const [key, headers] = [newKey(), underKey(subject)];
    const first = await increment(namespace, key, "5", { headers });
    await increment(namespace, key, "100", { headers: WAIT });
    const again = await increment(namespace, key, "5", { headers });
    assert.deepEqual([again.status, again.text, revisionOf(again)], [200, "5", revisionOf(first)]);
    hasHeaders(again, { "idempotent-replayed": "true" });
    assert.equal(first.headers["idempotent-replayed"], undefined);
    assert.equal((await get(namespace, key)).text, "105");
  },

  "created is told as created, deleted as deleted, refused as refused": async (subject) => {
    const { namespace, put, remove, newKey } = subject;
    const key = newKey();
    const [creation, refusal, deletion] = [underKey(subject), underKey(subject), underKey(subject)];
    const onlyNew = { "if-none-match": "*" };
    for (let n = 0; n < 2; n += 1) {
      hasStatus(await put(namespace, key, "1", { headers: creation }), 201);
      isProblem(await put(namespace, key, "2", { headers: { ...refusal, ...onlyNew } }), 412, "precondition-failed");
    }
    hasStatus(await remove(namespace, key, { headers: deletion }), 204);
    await put(namespace, key, "3", { headers: WAIT });
    hasStatus(await remove(namespace, key, { headers: deletion }), 204);
    hasStatus(await put(namespace, key, "4", { headers: { "if-match": "*", ...WAIT } }), 204);
  },

  "of 20 at once one happens": async (subject) => {
    const { namespace, increment, get, newKey } = subject;
    const [key, headers] = [newKey(), underKey(subject)];
    const answers = await Promise.all(Array.from({ length: 20 }, () => increment(namespace, key, "1", { headers })));
    for (const { status, text } of answers) assert.deepEqual([status, text], [200, "1"]);
    assert.equal((await get(namespace, key)).text, "1");
  },

  "with quotes or without it is the same key": async (subject) => {
    const { namespace, increment, newKey } = subject;
    const [key, name] = [newKey(), newKey()];
    await increment(namespace, key, "1", { headers: { "idempotency-key": name, ...WAIT } });
    const again = await increment(namespace, key, "1", { headers: { "idempotency-key": `"${name}"`, ...WAIT } });
    assert.equal(again.text, "1");
  },

  "another request under it is refused": async (subject) => {
    const { namespace, put, remove, newKey } = subject;
    const [key, headers] = [newKey(), underKey(subject)];
    await put(namespace, key, "1", { headers });
    isProblem(await put(namespace, key, "2", { headers }), 422, "idempotency-mismatch");
    isProblem(
      await put(namespace, key, "1", { headers: { ...headers, "content-type": "x/y" } }),
      422,
      "idempotency-mismatch",
    );
    isProblem(await remove(namespace, key, { headers }), 422, "idempotency-mismatch");
  },

  "on another key it is another one": async (subject) => {
    const { namespace, increment, newKey } = subject;
    const headers = underKey(subject);
    for (const key of [newKey(), newKey()]) {
      assert.equal((await increment(namespace, key, "1", { headers })).text, "1");
    }
  },

  "who does not wait can repeat, too": async (subject) => {
    const { namespace, increment, get, newKey } = subject;
    const key = newKey();
    const headers = { "idempotency-key": newKey() };
    let revision = "";
    for (let n = 0; n < 3; n += 1) {
      const answer = await increment(namespace, key, "1", { headers });
      revision = answer.status === 202 ? isAccepted(answer) : revisionOf(answer);
    }
    assert.equal((await get(namespace, key, { headers: { "millrace-min-revision": revision } })).text, "1");
  },

  ...each(
    WRONG,
    (key) => `${JSON.stringify(key.slice(0, 20))} of ${key.length} characters is refused`,
    async ({ namespace, put, newKey }, header) => {
      const answer = await put(namespace, newKey(), "v", { headers: { "idempotency-key": header, ...WAIT } });
      isProblem(answer, 400, "invalid-idempotency-key");
    },
  ),
});
