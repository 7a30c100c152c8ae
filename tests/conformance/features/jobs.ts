import assert from "node:assert/strict";
import { hasHeaders, hasStatus, includes, isAccepted, isProblem, jsonOf, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import {
  finished,
  inNamespace,
  JSON_TYPE,
  jobsOf,
  keysOf,
  postJob,
  putSettings,
  settingsOf,
  settingsPath,
} from "../own-namespaces.ts";
import type { Subject } from "../subject.ts";

const LIST = "/v1/jobs";
const NO_JOBS = ["x", "00000000a-00000000", "..%2Fns%2Fx"];
const WRONG_JOBS: readonly (readonly [what: string, body: string])[] = [
  ["nothing", ""],
  ["no JSON", "{"],
  ["no type", '{"namespace":"n","prefix":""}'],
  ["a type that is none", '{"type":"destroy","namespace":"n","prefix":""}'],
  ["no prefix", '{"type":"delete","namespace":"n"}'],
  ["a prefix longer than a key", `{"type":"delete","namespace":"n","prefix":"${"ü".repeat(513)}"}`],
  ["a prefix that is no text", '{"type":"delete","namespace":"n","prefix":"\\ud800"}'],
  ["no namespace", '{"type":"delete","namespace":"-n","prefix":""}'],
  ["the server's own namespace", '{"type":"delete","namespace":"@millrace","prefix":""}'],
  ["more than is known", '{"type":"delete","namespace":"n","prefix":"","settings":true}'],
];
const WRONG_LISTS: readonly (readonly [query: string, slug: string])[] = [
  ["limit=0", "invalid-parameter"],
  ["limit=251", "invalid-parameter"],
  ["cursor=!", "invalid-cursor"],
  ["state=done", "unknown-parameter"],
];

const deletion = (subject: Subject, namespace: string, prefix = "") =>
  postJob(subject, { type: "delete", namespace, prefix });
const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

/** Nobody waits for the writes. */
async function fill({ put }: Subject, namespace: string, keys: readonly string[]): Promise<void> {
  for (const answer of await Promise.all(keys.map((key) => put(namespace, key, "v")))) isAccepted(answer);
}

export const jobs = feature("jobs", "long work is a job that can be followed and cancelled", {
  "it deletes what begins with a prefix, byte by byte, and tells how much": (subject) =>
    inNamespace(subject, async (namespace) => {
      const { send } = subject;
      const others = ["A/1", "a", "a0", "b/1", "b/ü", "{a/}x"];
      const keys = [...numbered("a/", 30), "a/ü", "a/{tag}/x"];
      await fill(subject, namespace, [...keys, ...others]);
      const made = await deletion(subject, namespace, "a/");
      hasStatus(made, 202);
      const job = jsonOf(made);
      const parameters = { namespace, prefix: "a/" };
      hasHeaders(made, {
        location: `${LIST}/${String(job.id)}`,
        "cache-control": "no-store",
        "millrace-grade": /^[a-z]+$/,
      });
      revisionOf(made);
      includes(job, { type: "delete", state: "queued", parameters, finishedAt: null, reason: null });
      const done = await finished(subject, made);
      includes(done, { id: job.id, state: "done", progress: { deleted: keys.length, kept: 0, failed: 0 }, parameters });
      assert.deepEqual(await keysOf(subject, namespace), others.toSorted());
      const head = await send("HEAD", String(made.headers.location));
      hasStatus(head, 200);
      hasHeaders(head, { etag: /^"\d+-\d+-\d+"$/, "cache-control": "no-store" });
    }),

  "what is written after the answer stays": (subject) =>
    inNamespace(subject, async (namespace) => {
      await fill(subject, namespace, numbered("k", 100));
      const made = await deletion(subject, namespace);
      const after = [...numbered("k", 10), ...numbered("new", 10)];
      await fill(subject, namespace, after);
      includes(await finished(subject, made), { state: "done" });
      assert.deepEqual(await keysOf(subject, namespace), after.toSorted());
    }),

  "of a pinned namespace, and where there is nothing": (subject) =>
    inNamespace(
      subject,
      async (namespace) => {
        includes(await finished(subject, await deletion(subject, namespace)), { state: "done" });
        await fill(subject, namespace, numbered("k", 30));
        const done = await finished(subject, await deletion(subject, namespace));
        includes(done, { state: "done", progress: { deleted: 30 } });
        assert.deepEqual(await keysOf(subject, namespace), []);
      },
      { pinned: true },
    ),

  "a namespace is deleted as a job, with its keys and its settings; what comes after stays": (subject) =>
    inNamespace(subject, async (namespace) => {
      const { send, put } = subject;
      hasStatus(await putSettings(subject, namespace, { quota: { keys: 1000 } }), 201);
      await fill(subject, namespace, numbered("k", 50));
      const { etag = "" } = (await send("GET", settingsPath(namespace))).headers;
      const made = await send("DELETE", settingsPath(namespace), { headers: { "if-match": etag } });
      isAccepted(await put(namespace, "after", "v"));
      const done = await finished(subject, made);
      includes(done, { state: "done", parameters: { namespace, prefix: "", settings: true } });
      assert.deepEqual(await keysOf(subject, namespace), ["after"]);
      assert.deepEqual(await settingsOf(subject, namespace), {});
      const again = await send("DELETE", settingsPath(namespace), { headers: { "if-match": etag } });
      isProblem(again, 412, "precondition-failed");
    }),

  "settings that are made after a namespace's deletion stay": (subject) =>
    inNamespace(subject, async (namespace) => {
      // Before its settings: they would have its writes wait as soon as they are in effect.
      await fill(subject, namespace, numbered("k", 20));
      hasStatus(await putSettings(subject, namespace, { wait: 1 }), 201);
      const made = await subject.send("DELETE", settingsPath(namespace));
      await putSettings(subject, namespace, { wait: 2 });
      includes(await finished(subject, made), { state: "done" });
      assert.deepEqual(await settingsOf(subject, namespace), { wait: 2 });
    }),

  "one that is cancelled does no more, and says so": (subject) =>
    inNamespace(subject, async (namespace) => {
      const { send } = subject;
      // A job may be done before its cancellation comes: of many at once the youngest most likely is not.
      for (let tries = 0; tries < 10; tries += 1) {
        await fill(subject, namespace, numbered("k", 300));
        const made = await Promise.all(numbered("", 8).map(() => deletion(subject, namespace, "k")));
        for (const answer of made) hasStatus(answer, 202);
        const youngest = made.toSorted((a, b) => (String(jsonOf(a).id) < String(jsonOf(b).id) ? -1 : 1))[0];
        const path = youngest?.headers.location ?? "";
        const cancelled = await send("DELETE", path);
        const others = made.filter((answer) => answer !== youngest);
        for (const other of others) includes(await finished(subject, other), { state: "done" });
        if (cancelled.status === 409) continue;
        hasStatus(cancelled, 200);
        includes(jsonOf(cancelled), { state: "cancelled", parameters: { namespace, prefix: "k" } });
        assert.notEqual(jsonOf(cancelled).finishedAt, null);
        hasStatus(await send("DELETE", path), 200);
        const later = jsonOf(await send("GET", `${path}?wait=5`));
        assert.deepEqual(later, jsonOf(cancelled));
        return;
      }
      assert.fail("every job was done before it was cancelled");
    }),

  "one that is done is not cancelled any more": (subject) =>
    inNamespace(subject, async (namespace) => {
      const made = await deletion(subject, namespace);
      const done = await finished(subject, made);
      isProblem(await subject.send("DELETE", String(made.headers.location)), 409, "job-finished");
      assert.deepEqual(await finished(subject, made), done);
    }),

  "it is followed as server-sent events, from how it is to its end; the stream then ends": (subject) =>
    inNamespace(subject, async (namespace) => {
      const { send } = subject;
      await fill(subject, namespace, numbered("k", 300));
      const made = await deletion(subject, namespace);
      const path = `${made.headers.location}/events`;
      const stream = await send("GET", path, { timeoutMs: 25_000 });
      hasStatus(stream, 200);
      hasHeaders(stream, { "content-type": "text/event-stream", "cache-control": "no-store" });
      hasHeaders(stream, { "x-accel-buffering": "no" });
      const events = [...stream.text.matchAll(/^event: (\w+)\nid: (\S+)\ndata: (.*)\n\n/gm)];
      const told = events.map(([, state, id, data = ""]) => ({
        state,
        id,
        job: JSON.parse(data) as { state: string },
      }));
      assert.ok(told.length > 0 && told.every(({ state, job }) => state === job.state), stream.text);
      assert.equal(new Set(told.map(({ id }) => id)).size, told.length);
      includes(told.at(-1), { state: "done", job: { id: jsonOf(made).id, progress: { deleted: 300 } } });
      // One that is finished is told at once.
      assert.match((await send("GET", path)).text, /^event: done\n/);
      const head = await send("HEAD", path);
      hasStatus(head, 200);
      assert.equal(head.body.byteLength, 0);
    }),

  "jobs are listed, the youngest first, page by page": (subject) =>
    inNamespace(subject, async (namespace) => {
      const made: string[] = [];
      for (let n = 0; n < 3; n += 1) {
        const answer = await deletion(subject, namespace, `${n}`);
        made.unshift(String(jsonOf(answer).id));
        await finished(subject, answer);
      }
      const found = await jobsOf(subject);
      const ids = found.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      const own = found.filter(({ parameters }) => (parameters as { namespace: string }).namespace === namespace);
      assert.deepEqual(
        own.map(({ id }) => id),
        made,
      );
      assert.deepEqual(own[0], jsonOf(await subject.send("GET", `${LIST}/${made[0]}`)));
      const first = jsonOf(await subject.send("GET", `${LIST}?limit=1`));
      assert.equal((first.jobs as unknown[]).length, 1);
      hasStatus(await subject.send("GET", `${LIST}?limit=1&cursor=${String(first.cursor)}`), 200);
      hasStatus(await subject.send("HEAD", LIST), 200);
    }),

  ...each(
    WRONG_LISTS,
    ([query]) => `the list's ?${query} is refused`,
    async ({ send }, [query, slug]) => {
      isProblem(await send("GET", `${LIST}?${query}`), 400, slug);
      hasStatus(await send("HEAD", `${LIST}?${query}`), 400);
    },
  ),

  ...each(
    WRONG_JOBS,
    ([what]) => `with ${what} none is made`,
    async ({ send }, [, body]) => {
      isProblem(await send("POST", LIST, { headers: JSON_TYPE, body }), 400, "invalid-document");
    },
  ),

  "a request of another type, of another grade, with parameters or that is too large makes none": async (subject) => {
    const { namespace, send } = subject;
    const job = { type: "delete", namespace, prefix: "" };
    const text = { headers: { "content-type": "text/plain" }, body: JSON.stringify(job) };
    isProblem(await send("POST", LIST, text), 415, "unsupported-media-type");
    isProblem(await postJob(subject, job, { "millrace-grade": "paper" }), 400, "invalid-grade");
    isProblem(await postJob(subject, { ...job, prefix: "x".repeat(70_000) }), 413, "value-too-large");
    isProblem(await send("POST", `${LIST}?colour=red`, { headers: JSON_TYPE, body: "{}" }), 400, "unknown-parameter");
  },

  ...each(
    NO_JOBS,
    (id) => `there is no job ${id}`,
    async ({ send }, id) => {
      for (const [method, path] of [
        ["GET", id],
        ["DELETE", id],
        ["GET", `${id}/events`],
      ] as const) {
        isProblem(await send(method, `${LIST}/${path}`), 404, "job-not-found");
      }
      for (const path of [id, `${id}/events`]) hasStatus(await send("HEAD", `${LIST}/${path}`), 404);
    },
  ),

  ...each(
    [
      ["GET", "x?wait=long", "invalid-parameter"],
      ["GET", "x?wait=-1", "invalid-parameter"],
      ["GET", "x?colour=red", "unknown-parameter"],
      ["DELETE", "x?force=true", "unknown-parameter"],
      ["GET", "x/events?wait=1", "unknown-parameter"],
    ] as const,
    ([method, path]) => `${method} ${LIST}/${path} is refused`,
    async ({ send }, [method, path, slug]) => {
      isProblem(await send(method, `${LIST}/${path}`), 400, slug);
      if (method === "GET") hasStatus(await send("HEAD", `${LIST}/${path}`), 400);
    },
  ),

  "the deletion of a namespace is found where its answer says, whoever reads it first": (subject) =>
    inNamespace(subject, async (namespace) => {
      const made = await subject.send("DELETE", settingsPath(namespace), { headers: WAIT });
      hasStatus(made, 202);
      const read = await subject.send("GET", String(made.headers.location));
      hasStatus(read, 200);
      assert.equal(jsonOf(read).id, jsonOf(made).id);
    }),
});
