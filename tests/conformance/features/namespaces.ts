import assert from "node:assert/strict";
import { hasHeaders, hasStatus, includes, isAccepted, isProblem, jsonOf, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import {
  inNamespace,
  JSON_TYPE,
  MERGE_PATCH_TYPE,
  namespacesOf,
  patchSettings,
  putSettings,
  settingsOf,
  settingsPath,
} from "../own-namespaces.ts";

const LIST = "/v1/namespaces";
const WRONG_SETTINGS = [
  "",
  "{",
  "[]",
  '{"waits":1}',
  '{"wait":31}',
  '{"wait":"1"}',
  '{"parking":"jump"}',
  '{"grade":"paper"}',
  '{"quota":{"keys":-1}}',
  '{"quota":{"values":1}}',
];
const WRONG_NAMES = ["@millrace", "%40millrace", "-x", "a%2Fb", "@", "n".repeat(65)];
const WRONG_LISTS: readonly (readonly [query: string, slug: string])[] = [
  ["limit=0", "invalid-parameter"],
  ["limit=251", "invalid-parameter"],
  ["limit=x", "invalid-parameter"],
  ["cursor=!", "invalid-cursor"],
  ["cursor=%20", "invalid-cursor"],
  ["sort=1", "unknown-parameter"],
];

export const namespaces = feature("settings", "a namespace has settings, and need not be created", {
  "they are created, read, replaced and changed, each under a revision": (subject) =>
    inNamespace(subject, async (namespace) => {
      const { send } = subject;
      const created = await putSettings(subject, namespace, { wait: 2, quota: { keys: 9 } });
      hasStatus(created, 201);
      hasHeaders(created, { location: settingsPath(namespace), etag: `"${revisionOf(created)}"` });
      const read = await send("GET", settingsPath(namespace));
      hasStatus(read, 200);
      hasHeaders(read, { etag: created.headers.etag ?? "", "cache-control": "no-store" });
      assert.equal(revisionOf(read), revisionOf(created));
      const usage = { keys: 0, bytes: 0 };
      assert.deepEqual(jsonOf(read), { namespace, settings: { wait: 2, quota: { keys: 9 } }, usage, pinned: false });
      hasStatus(await putSettings(subject, namespace, { parking: "block" }), 204);
      assert.deepEqual(await settingsOf(subject, namespace), { parking: "block" });
      const changed = await patchSettings(subject, namespace, { parking: null, wait: 3, quota: { bytes: 7 } });
      hasStatus(changed, 200);
      assert.deepEqual(jsonOf(changed), { settings: { wait: 3, quota: { bytes: 7 } } });
      const head = await send("HEAD", settingsPath(namespace));
      hasStatus(head, 200);
      hasHeaders(head, { etag: `"${revisionOf(changed)}"` });
      assert.equal(head.body.byteLength, 0);
    }),

  "who does not wait is told where its result will be": (subject) =>
    inNamespace(subject, async (namespace) => {
      const answer = await putSettings(subject, namespace, { wait: 1 }, {});
      isAccepted(answer);
      const told = await subject.send("GET", `${answer.headers.location}?wait=10`);
      includes(jsonOf(told), { status: "applied" });
      assert.deepEqual(await settingsOf(subject, namespace), { wait: 1 });
    }),

  "under a condition that does not hold nothing changes, and nothing is deleted": (subject) =>
    inNamespace(subject, async (namespace) => {
      const first = await putSettings(subject, namespace, {}, { "if-none-match": "*", ...WAIT });
      hasStatus(first, 201);
      const second = await patchSettings(subject, namespace, { wait: 1 }, { "if-match": `"${revisionOf(first)}"` });
      hasStatus(second, 200);
      for (const condition of [{ "if-none-match": "*" }, { "if-match": `"${revisionOf(first)}"` }]) {
        const headers = { ...condition, ...WAIT };
        isProblem(await putSettings(subject, namespace, { wait: 9 }, headers), 412, "precondition-failed");
        isProblem(await patchSettings(subject, namespace, { wait: 9 }, headers), 412, "precondition-failed");
        const answer = await subject.send("DELETE", settingsPath(namespace), { headers });
        isProblem(answer, 412, "precondition-failed");
      }
      const headers = { "if-match": "nonsense" };
      isProblem(await putSettings(subject, namespace, {}, headers), 400, "invalid-precondition");
      isProblem(await patchSettings(subject, namespace, {}, headers), 400, "invalid-precondition");
      isProblem(await subject.send("DELETE", settingsPath(namespace), { headers }), 400, "invalid-precondition");
      assert.deepEqual(await settingsOf(subject, namespace), { wait: 1 });
      assert.equal((await subject.send("GET", settingsPath(namespace))).headers.etag, second.headers.etag);
    }),

  "patches at once are all in": (subject) =>
    inNamespace(subject, async (namespace) => {
      const changes = [{ wait: 1 }, { parking: "block" }, { quota: { keys: 5 } }, { quota: { bytes: 6 } }];
      for (const answer of await Promise.all(changes.map((change) => patchSettings(subject, namespace, change)))) {
        hasStatus(answer, 200);
      }
      const all = { wait: 1, parking: "block", quota: { keys: 5, bytes: 6 } };
      assert.deepEqual(await settingsOf(subject, namespace), all);
    }),

  "repeated under an Idempotency-Key they are written once": (subject) =>
    inNamespace(subject, async (namespace) => {
      const headers = { "idempotency-key": `"${subject.newKey()}"`, ...WAIT };
      const first = await putSettings(subject, namespace, { wait: 1 }, headers);
      hasStatus(first, 201);
      await putSettings(subject, namespace, { wait: 2 });
      const again = await putSettings(subject, namespace, { wait: 1 }, headers);
      assert.deepEqual([again.status, revisionOf(again)], [201, revisionOf(first)]);
      hasHeaders(again, { "idempotent-replayed": "true" });
      isProblem(await putSettings(subject, namespace, { wait: 3 }, headers), 422, "idempotency-mismatch");
      assert.deepEqual(await settingsOf(subject, namespace), { wait: 2 });
    }),

  "one without settings is told all the same, with what it holds": (subject) =>
    inNamespace(subject, async (namespace) => {
      const { put, remove, send } = subject;
      for (const key of ["a", "ü", "c"]) await put(namespace, key, "value", { headers: WAIT });
      await remove(namespace, "c", { headers: WAIT });
      const answer = await send("GET", settingsPath(namespace));
      const told = { namespace, settings: {}, usage: { keys: 2, bytes: 1 + 5 + 2 + 5 }, pinned: false };
      assert.deepEqual([jsonOf(answer), answer.headers.etag], [told, undefined]);
    }),

  "of a pinned one its partition is told": (subject) =>
    inNamespace(
      subject,
      async (namespace) => {
        const written = await subject.put(namespace, "k", "v", { headers: WAIT });
        hasStatus(await putSettings(subject, namespace, { wait: 0 }), 201);
        const partition = Number.parseInt(revisionOf(written), 10);
        const answer = await subject.send("GET", settingsPath(namespace));
        includes(jsonOf(answer), { namespace, pinned: true, partition, usage: { keys: 1, bytes: 2 } });
      },
      { pinned: true },
    ),

  ...each(
    WRONG_SETTINGS,
    (body) => `${body || "nothing"} is no settings, and what is there stays`,
    (subject, body) =>
      inNamespace(subject, async (namespace) => {
        const { send } = subject;
        hasStatus(await putSettings(subject, namespace, { wait: 1 }), 201);
        const put = await send("PUT", settingsPath(namespace), { headers: JSON_TYPE, body });
        isProblem(put, 400, "invalid-document");
        const patched = await send("PATCH", settingsPath(namespace), { headers: MERGE_PATCH_TYPE, body });
        isProblem(patched, 400, "invalid-document");
        assert.deepEqual(await settingsOf(subject, namespace), { wait: 1 });
      }),
  ),

  "a document of another type, or one that is too large, is refused": (subject) =>
    inNamespace(subject, async (namespace) => {
      const large = `{"wait":${" ".repeat(70_000)}1}`;
      for (const [method, right] of [
        ["PUT", JSON_TYPE],
        ["PATCH", MERGE_PATCH_TYPE],
      ] as const) {
        const send = (headers: Record<string, string>, body: string) =>
          subject.send(method, settingsPath(namespace), { headers, body });
        isProblem(await send({ "content-type": "text/plain" }, "{}"), 415, "unsupported-media-type");
        isProblem(await send(right, large), 413, "value-too-large");
      }
      assert.deepEqual(await settingsOf(subject, namespace), {});
    }),

  ...each(
    WRONG_NAMES,
    (name) => `${name.slice(0, 20)} of ${name.length} characters is no namespace`,
    async (subject, name) => {
      for (const answer of [
        await subject.send("GET", settingsPath(name)),
        await putSettings(subject, name, {}),
        await patchSettings(subject, name, {}),
        await subject.send("DELETE", settingsPath(name)),
      ]) {
        isProblem(answer, 400, "invalid-namespace");
      }
      hasStatus(await subject.send("HEAD", settingsPath(name)), 400);
    },
  ),

  "they take no parameters": async ({ namespace, send }) => {
    for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
      isProblem(await send(method, `${settingsPath(namespace)}?colour=red`), 400, "unknown-parameter");
    }
  },

  "those that have settings are listed in byte order, each once, a page a call": (subject) =>
    inNamespace(subject, (first) =>
      inNamespace(subject, (second) =>
        inNamespace(subject, async (third) => {
          const own = [second, third];
          for (const namespace of own) hasStatus(await putSettings(subject, namespace, { wait: 4 }), 201);
          await subject.put(first, "k", "v", { headers: WAIT });
          const { headers } = await subject.send("GET", settingsPath(third));
          const entry = { namespace: third, settings: { wait: 4 }, revision: headers["millrace-revision"] };
          for (const limit of [250, 1]) {
            const found = await namespacesOf(subject, limit);
            const names = found.map(({ namespace }) => String(namespace));
            assert.deepEqual(names, [...new Set(names)].toSorted());
            assert.deepEqual(
              [first, ...own].map((name) => names.includes(name)),
              [false, true, true],
            );
            assert.deepEqual(found[names.indexOf(third)], entry);
          }
          hasStatus(await subject.send("HEAD", `${LIST}?limit=1`), 200);
        }),
      ),
    ),

  ...each(
    WRONG_LISTS,
    ([query]) => `the list's ?${query} is refused`,
    async ({ send }, [query, slug]) => {
      isProblem(await send("GET", `${LIST}?${query}`), 400, slug);
      hasStatus(await send("HEAD", `${LIST}?${query}`), 400);
    },
  ),
});
