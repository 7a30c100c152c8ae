import assert from "node:assert/strict";
import { hasStatus, isProblem, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

const WRONG_KEYS: readonly (readonly [encoded: string, status: number, slug: string])[] = [
  ["", 400, "invalid-key"],
  ["%zz", 400, "invalid-key"],
  ["a%00b", 400, "invalid-key"],
  ["a%0Ab", 400, "invalid-key"],
  ["a%7Fb", 400, "invalid-key"],
  ["%c0%af", 400, "invalid-key"],
  ["%ED%A0%80", 400, "invalid-key"],
  ["a/%2e%2e/b", 400, "invalid-key"],
  ["..", 400, "invalid-key"],
  ["k".repeat(1025), 414, "key-too-long"],
  ["%C3%BC".repeat(513), 414, "key-too-long"],
];

const WRONG_NAMESPACES = ["", "no%20pe", "-a", ".a", "a%2Fb", "ü".normalize(), "n".repeat(65), "a:b"];

export const limits = feature("limits", "what is too long or not allowed is refused before anything is written", {
  ...each(
    WRONG_KEYS,
    ([encoded]) =>
      `the key ${encoded.length > 40 ? `of ${encoded.length} characters` : JSON.stringify(encoded)} is refused`,
    async ({ namespace, send }, [encoded, status, slug]) => {
      for (const method of ["PUT", "GET", "DELETE"]) {
        isProblem(await send(method, `/v1/kv/${namespace}/${encoded}`), status, slug);
      }
      isProblem(await send("POST", `/v1/kv/${namespace}/${encoded}?increment=1`), status, slug);
    },
  ),

  ...each(
    WRONG_NAMESPACES,
    (name) => `the namespace ${name.length > 40 ? `of ${name.length} characters` : JSON.stringify(name)} is refused`,
    async ({ send }, name) => {
      for (const method of ["PUT", "GET", "DELETE"]) {
        isProblem(await send(method, `/v1/kv/${encodeURI(name).replaceAll("%25", "%")}/k`), 400, "invalid-namespace");
      }
    },
  ),

  "the longest namespace is taken": async ({ namespace, put }) => {
    hasStatus(await put(namespace.padEnd(64, "x"), "k", "v", { headers: WAIT }), 201);
  },

  "a value of one byte more than 1 MiB is refused, with its length told and without": async (subject) => {
    const { namespace, put, get, raw, newKey } = subject;
    const key = newKey();
    isProblem(await put(namespace, key, Buffer.alloc(1024 * 1024 + 1)), 413, "value-too-large");
    const chunks = `10000\r\n${"x".repeat(65536)}\r\n`.repeat(16);
    const head = `PUT /v1/kv/${namespace}/${key} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n`;
    assert.match(await raw(`${head}\r\n${chunks}1\r\nx\r\n0\r\n\r\n`), /^HTTP\/1\.1 413 /);
    isProblem(await get(namespace, key), 404, "key-not-found");
  },

  "who asks before sending too much is told so instead of being sent on": async ({ namespace, raw, newKey }) => {
    const head = `PUT /v1/kv/${namespace}/${newKey()} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1048577\r\n`;
    const answer = await raw(`${head}Expect: 100-continue\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 413 /);
  },
});
