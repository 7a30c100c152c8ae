import assert from "node:assert/strict";
import { hasStatus, includes, isAccepted, isProblem, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import type { Subject } from "../subject.ts";

const WRONG: readonly (readonly [query: string, slug: string])[] = [
  ["from=yesterday", "invalid-parameter"],
  ["values=perhaps", "invalid-parameter"],
  ["last_event_id=nonsense", "invalid-position"],
  [`prefix=${"k".repeat(1025)}`, "invalid-parameter"],
  ["colour=red", "unknown-parameter"],
];

/** Each check watches a namespace of its own. */
let feeds = 0;
function newFeed({ namespace }: Subject): string {
  feeds += 1;
  return `${namespace}.${feeds}`;
}

export const watching = feature("watch", "what changes is told as it happens, once, and from where a client was", {
  "each change that was applied, in order, and nothing of what had no effect": async (subject) => {
    const { put, remove, increment, watch } = subject;
    const namespace = newFeed(subject);
    const stream = await watch(namespace);
    includes(stream, {
      status: 200,
      headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
    });
    // One tag: one partition, one order.
    const written = await put(namespace, "{t}a", "1", { headers: WAIT });
    await put(namespace, "{t}a", "2", { headers: { "if-none-match": "*", ...WAIT } });
    await remove(namespace, "{t}absent", { headers: WAIT });
    await increment(namespace, "{t}n", "5", { headers: WAIT });
    await remove(namespace, "{t}a", { headers: WAIT });
    const events = await stream.atLeast(3);
    assert.deepEqual(
      events.map(({ event, data }) => `${event} ${data.key}`),
      ["put {t}a", "put {t}n", "delete {t}a"],
    );
    assert.equal(events[0]?.data.revision, revisionOf(written));
    stream.close();
  },

  "who goes on from an event's id misses nothing and is told nothing twice": async (subject) => {
    const { put, watch } = subject;
    const namespace = newFeed(subject);
    const first = await watch(namespace);
    const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`);
    for (const key of keys.slice(0, 10)) await put(namespace, key, "v", { headers: WAIT });
    const before = (await first.atLeast(10)).slice(0, 4);
    first.close();
    for (const key of keys.slice(10)) await put(namespace, key, "v", { headers: WAIT });
    const id = before.at(-1)?.id ?? "";
    for (const resumed of [
      await watch(namespace, { lastEventId: id }),
      await watch(`${namespace}?last_event_id=${encodeURIComponent(id)}`),
    ]) {
      const after = await resumed.atLeast(16);
      assert.deepEqual([...before, ...after].map(({ data }) => data.key).sort(), keys.toSorted());
      resumed.close();
    }
  },

  "only keys with the prefix, with their values where that is asked for": async (subject) => {
    const { put, watch } = subject;
    const namespace = newFeed(subject);
    const stream = await watch(`${namespace}?prefix=a%2F&values=true`);
    await put(namespace, "b/1", "no", { headers: WAIT });
    await put(namespace, "a/1", "yes", { headers: WAIT });
    const [event] = await stream.atLeast(1);
    includes(event, { event: "put", data: { key: "a/1", value: "yes" } });
    stream.close();
  },

  "what was before, with from=oldest": async (subject) => {
    const { put, watch } = subject;
    const namespace = newFeed(subject);
    const revision = isAccepted(await put(namespace, "k", "v"));
    const stream = await watch(`${namespace}?from=oldest`);
    const [event] = await stream.atLeast(1);
    includes(event, { event: "put", data: { key: "k", revision } });
    stream.close();
  },

  "a key that expires, too": async (subject) => {
    const { send, watch } = subject;
    const namespace = newFeed(subject);
    const stream = await watch(namespace);
    await send("PUT", `/v1/kv/${namespace}/k?ttl=1`, { body: "v", headers: WAIT });
    const events = await stream.atLeast(2);
    assert.deepEqual(
      events.map(({ event, data }) => `${event} ${data.key}`),
      ["put k", "expire k"],
    );
    stream.close();
  },

  "HEAD tells what it would be, and ends": async (subject) => {
    const head = await subject.send("HEAD", `/v1/watch/${newFeed(subject)}`);
    hasStatus(head, 200);
    hasStatus(await subject.send("HEAD", `/v1/watch/${newFeed(subject)}?from=yesterday`), 400);
  },

  ...each(
    WRONG,
    ([query]) => `?${query.slice(0, 30)} is refused`,
    async (subject, [query, slug]) => {
      isProblem(await subject.send("GET", `/v1/watch/${newFeed(subject)}?${query}`), 400, slug);
    },
  ),

  "no namespace, and an id that is none, are refused": async (subject) => {
    isProblem(await subject.send("GET", "/v1/watch/-"), 400, "invalid-namespace");
    const headers = { "last-event-id": "nonsense" };
    isProblem(await subject.send("GET", `/v1/watch/${newFeed(subject)}`, { headers }), 400, "invalid-position");
  },
});
