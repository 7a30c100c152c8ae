import assert from "node:assert/strict";
import { hasStatus, includes, isAccepted, isProblem, jsonOf, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

const INVALID: readonly (readonly [what: string, headers: Record<string, string>])[] = [
  ["a tag without quotes", { "if-match": "00-1-1" }],
  ["something that is no revision", { "if-match": '"x"' }],
  ["a weak tag", { "if-match": 'W/"00-1-1"' }],
  ["a list", { "if-none-match": '"00-1-1", "00-1-2"' }],
  ["nothing", { "if-match": "" }],
  ["both at once", { "if-match": "*", "if-none-match": "*" }],
];

export const conditionalWrites = feature(
  "cas",
  "a conditional write happens only where its condition holds, at its place in the log",
  {
    "If-None-Match: * creates, and never replaces": async ({ namespace, put, get, newKey }) => {
      const key = newKey();
      const headers = { "if-none-match": "*", ...WAIT };
      hasStatus(await put(namespace, key, "1", { headers }), 201);
      isProblem(await put(namespace, key, "2", { headers }), 412, "precondition-failed");
      assert.equal((await get(namespace, key)).text, "1");
    },

    "If-Match: * replaces, and never creates": async ({ namespace, put, get, newKey }) => {
      const key = newKey();
      const headers = { "if-match": "*", ...WAIT };
      isProblem(await put(namespace, key, "1", { headers }), 412, "precondition-failed");
      isProblem(await get(namespace, key), 404, "key-not-found");
      hasStatus(await put(namespace, key, "1", { headers: WAIT }), 201);
      hasStatus(await put(namespace, key, "2", { headers }), 204);
    },

    "If-Match with a revision compares and sets": async ({ namespace, put, get, newKey }) => {
      const key = newKey();
      const { etag = "" } = (await put(namespace, key, "1", { headers: WAIT })).headers;
      hasStatus(await put(namespace, key, "2", { headers: { "if-match": etag, ...WAIT } }), 204);
      isProblem(await put(namespace, key, "3", { headers: { "if-match": etag, ...WAIT } }), 412, "precondition-failed");
      assert.equal((await get(namespace, key)).text, "2");
    },

    "If-None-Match with a revision writes unless the key is at it": async ({ namespace, put, newKey }) => {
      const key = newKey();
      const { etag = "" } = (await put(namespace, key, "1", { headers: WAIT })).headers;
      const headers = { "if-none-match": etag, ...WAIT };
      isProblem(await put(namespace, key, "2", { headers }), 412, "precondition-failed");
      hasStatus(await put(namespace, key, "2", { headers: WAIT }), 204);
      hasStatus(await put(namespace, key, "3", { headers }), 204);
    },

    "a deletion and an increment keep their conditions too": async ({ namespace, increment, remove, get, newKey }) => {
      const key = newKey();
      const { etag = "" } = (await increment(namespace, key, "1", { headers: WAIT })).headers;
      hasStatus(await increment(namespace, key, "1", { headers: { "if-match": etag, ...WAIT } }), 200);
      isProblem(
        await increment(namespace, key, "1", { headers: { "if-match": etag, ...WAIT } }),
        412,
        "precondition-failed",
      );
      isProblem(await remove(namespace, key, { headers: { "if-match": etag, ...WAIT } }), 412, "precondition-failed");
      const now = await get(namespace, key);
      assert.equal(now.text, "2");
      hasStatus(await remove(namespace, key, { headers: { "if-match": now.headers.etag ?? "", ...WAIT } }), 204);
    },

    "a revision of another key is never this one's": async ({ namespace, put, newKey }) => {
      const key = newKey();
      await put(namespace, key, "1", { headers: WAIT });
      for (let n = 0; n < 8; n += 1) {
        const { etag = "" } = (await put(namespace, newKey(), "1", { headers: WAIT })).headers;
        const headers = { "if-match": etag, ...WAIT };
        isProblem(await put(namespace, key, "2", { headers }), 412, "precondition-failed");
      }
    },

    "of many that compare and set at once, exactly one wins": async ({ namespace, put, newKey }) => {
      const key = newKey();
      const { etag = "" } = (await put(namespace, key, "0", { headers: WAIT })).headers;
      const headers = { "if-match": etag, ...WAIT };
      const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => put(namespace, key, `${i}`, { headers })));
      const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
      assert.deepEqual(statuses, [204, ...Array.from({ length: 39 }, () => 412)]);
    },

    "a write that nobody waits for is accepted, and told as rejected later": async ({
      namespace,
      put,
      command,
      newKey,
    }) => {
      const key = newKey();
      await put(namespace, key, "1", { headers: WAIT });
      const revision = isAccepted(await put(namespace, key, "2", { headers: { "if-none-match": "*" } }));
      includes(jsonOf(await command(revision, 10)), { status: "rejected", result: { reason: "condition-not-met" } });
    },

    "a refusal names the command that was refused, which changed nothing": async ({ namespace, put, get, newKey }) => {
      const key = newKey();
      const first = await put(namespace, key, "1", { headers: WAIT });
      const refused = await put(namespace, key, "2", { headers: { "if-none-match": "*", ...WAIT } });
      isProblem(refused, 412, "precondition-failed");
      assert.notEqual(revisionOf(refused), revisionOf(first));
      assert.equal((await get(namespace, key)).headers.etag, first.headers.etag);
    },

    ...each(
      INVALID,
      ([what]) => `${what} is no condition: 400, and nothing is written`,
      async ({ namespace, put, get, newKey }, [, headers]) => {
        const key = newKey();
        isProblem(await put(namespace, key, "v", { headers: { ...headers, ...WAIT } }), 400, "invalid-precondition");
        isProblem(await get(namespace, key), 404, "key-not-found");
      },
    ),
  },
);
