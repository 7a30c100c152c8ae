import assert from "node:assert/strict";
import { hasHeaders, hasStatus, includes, isAccepted, isProblem, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import type { Subject } from "../subject.ts";

interface Page {
  readonly keys: readonly { readonly key: string; readonly [field: string]: unknown }[];
  readonly cursor: string | null;
  readonly list_complete: boolean;
}

const WRONG: readonly (readonly [query: string, slug: string])[] = [
  ["limit=0", "invalid-parameter"],
  ["limit=1001", "invalid-parameter"],
  ["limit=x", "invalid-parameter"],
  ["limit=1&limit=2", "invalid-parameter"],
  ["values=perhaps", "invalid-parameter"],
  ["consistency=perhaps", "invalid-parameter"],
  [`prefix=${"k".repeat(1025)}`, "invalid-parameter"],
  ["cursor=x", "invalid-cursor"],
  ["cursor=", "invalid-cursor"],
  ["colour=red", "unknown-parameter"],
];

/** Each in a namespace of its own: others write there, too. */
let lists = 0;
function newList({ namespace }: Subject): string {
  lists += 1;
  return `${namespace}.${lists}`;
}

async function page(
  { send }: Subject,
  namespace: string,
  query = "",
  headers: Record<string, string> = {},
): Promise<Page> {
  const answer = await send("GET", `/v1/kv/${namespace}${query === "" ? "" : `?${query}`}`, { headers });
  hasStatus(answer, 200);
  hasHeaders(answer, { "content-type": "application/json", "cache-control": "no-store" });
  const told = JSON.parse(answer.text) as Page;
  assert.equal(told.list_complete, told.cursor === null);
  return told;
}

/** All keys, page by page. */
async function all(subject: Subject, namespace: string, query: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const next: Page = await page(subject, namespace, `${query}${from}`);
    keys.push(...next.keys.map(({ key }) => key));
    cursor = next.cursor;
  }
  return keys;
}

function write({ put }: Subject, namespace: string, keys: readonly string[]): Promise<unknown> {
  return Promise.all(keys.map((key) => put(namespace, key, `value of ${key}`, { headers: WAIT })));
}

const inByteOrder = (keys: readonly string[]) =>
  keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

export const listing = feature("list", "keys are listed by prefix, in byte order, a page a call", {
  "whatever the pages' size, each key once and in order": async (subject) => {
    const namespace = newList(subject);
    const keys = [
      "a",
      "a/b",
      "A",
      "b",
      "ü",
      "鍵",
      "🔑",
      "\uffee",
      "{tag}x",
      "0",
      ...Array.from({ length: 40 }, (_, n) => `n${n}`),
    ];
    await write(subject, namespace, keys);
    for (const limit of [1, 7, 1000])
      assert.deepEqual(await all(subject, namespace, `limit=${limit}`), inByteOrder(keys));
  },

  "only those with the prefix, which may be any beginning": async (subject) => {
    const namespace = newList(subject);
    await write(subject, namespace, ["a", "a/1", "a/2", "ab", "b", "é", "è"]);
    assert.deepEqual(await all(subject, namespace, "prefix=a%2F&limit=1"), ["a/1", "a/2"]);
    assert.deepEqual(await all(subject, namespace, "prefix=a"), ["a", "a/1", "a/2", "ab"]);
    assert.deepEqual(await all(subject, namespace, "prefix=%C3%A9"), ["é"]);
    assert.deepEqual(await all(subject, namespace, "prefix=zzz"), []);
  },

  "each with revision, type and size, and with its value where that is asked for": async (subject) => {
    const { put, send } = subject;
    const namespace = newList(subject);
    const metadata = '{"n":12345678901234567890}';
    const headers = { "content-type": "x/y", "millrace-metadata": metadata, ...WAIT };
    const text = await put(namespace, "text", "ü", { headers });
    await send("PUT", `/v1/kv/${namespace}/bytes?expires_at=4102444800`, {
      body: Buffer.from([255, 0]),
      headers: WAIT,
    });
    const { keys } = await page(subject, namespace);
    includes(keys[0], { key: "bytes", size: 2, expires_at: 4102444800, content_type: "application/octet-stream" });
    includes(keys[1], { key: "text", revision: revisionOf(text), size: 2, content_type: "x/y" });
    assert.deepEqual([keys[0]?.value, keys[1]?.value, keys[1]?.expires_at], [undefined, undefined, undefined]);
    const { text: whole } = await send("GET", `/v1/kv/${namespace}?values=true`);
    includes(JSON.parse(whole), {
      keys: [
        { key: "bytes", value: "/wA=", encoding: "base64" },
        { key: "text", value: "ü", encoding: "text" },
      ],
    });
    assert.ok(whole.includes("12345678901234567890"));
  },

  "a large value comes whole": async (subject) => {
    const namespace = newList(subject);
    const value = "v".repeat(1024 * 1024);
    await subject.put(namespace, "large", value, { headers: WAIT });
    assert.equal((await page(subject, namespace, "values=true")).keys[0]?.value, value);
  },

  "what is deleted or has expired is not listed": async (subject) => {
    const { send, remove } = subject;
    const namespace = newList(subject);
    await write(subject, namespace, ["a", "b", "c"]);
    await remove(namespace, "b", { headers: WAIT });
    await send("PUT", `/v1/kv/${namespace}/c?ttl=1`, { body: "v", headers: WAIT });
    const startMs = performance.now();
    while ((await subject.get(namespace, "c")).status !== 404) {
      assert.ok(performance.now() - startMs < 25_000, "it is still there after 25 s");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual(await all(subject, namespace, ""), ["a"]);
  },

  "with a minimum revision a write that nobody waited for is in it": async (subject) => {
    const namespace = newList(subject);
    for (let n = 0; n < 10; n += 1) {
      const revision = isAccepted(await subject.put(namespace, `key-${n}`, "v"));
      const { keys } = await page(subject, namespace, "", { "millrace-min-revision": revision });
      assert.equal(keys.length, n + 1);
    }
  },

  "a cursor goes on where it was, whatever was written in between": async (subject) => {
    const namespace = newList(subject);
    await write(subject, namespace, ["b", "d", "f", "h"]);
    const first = await page(subject, namespace, "limit=2");
    await write(subject, namespace, ["a", "e"]);
    await subject.remove(namespace, "d", { headers: WAIT });
    const rest = await page(subject, namespace, `limit=10&cursor=${encodeURIComponent(first.cursor ?? "")}`);
    assert.deepEqual(
      [first, rest].map(({ keys }) => keys.map(({ key }) => key)),
      [
        ["b", "d"],
        ["e", "f", "h"],
      ],
    );
  },

  "a cursor belongs to its namespace and prefix": async (subject) => {
    const namespace = newList(subject);
    await write(subject, namespace, ["a1", "a2", "b"]);
    const { cursor } = await page(subject, namespace, "limit=1&prefix=a");
    for (const path of [`${namespace}?prefix=b`, `${namespace}?prefix=`, `${newList(subject)}?prefix=a`]) {
      const answer = await subject.send("GET", `/v1/kv/${path}&cursor=${encodeURIComponent(cursor ?? "")}`);
      isProblem(answer, 400, "invalid-cursor");
    }
  },

  "a namespace that nobody has written to is empty": async (subject) => {
    assert.deepEqual(await page(subject, newList(subject)), { keys: [], cursor: null, list_complete: true });
  },

  ...each(
    WRONG,
    ([query]) => `?${query.slice(0, 30)} is refused`,
    async (subject, [query, slug]) => {
      isProblem(await subject.send("GET", `/v1/kv/${subject.namespace}?${query}`), 400, slug);
    },
  ),

  "HEAD is GET without the body": async (subject) => {
    const namespace = newList(subject);
    for (const [path, status] of [
      [`/v1/kv/${namespace}`, 200],
      [`/v1/kv/${namespace}?limit=0`, 400],
    ] as const) {
      const head = await subject.send("HEAD", path);
      hasStatus(head, status);
      assert.equal(head.body.byteLength, 0);
    }
  },
});
