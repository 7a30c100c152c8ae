import assert from "node:assert/strict";
import { hasStatus } from "../assertions.ts";
import { each, feature } from "../feature.ts";

const MALFORMED: readonly (readonly [what: string, bytes: string])[] = [
  ["no HTTP at all", "hello\r\n\r\n"],
  ["a NUL in the path", "GET /v1/kv/n/a\0b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"],
  ["a bad length", "PUT /v1/kv/n/k HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\nv"],
  ["two lengths", "PUT /v1/kv/n/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nvv"],
  [
    "length and chunks at once",
    "PUT /v1/kv/n/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["a space before the colon", "GET /v1/partitions HTTP/1.1\r\nHost : h\r\n\r\n"],
  ["no host", "GET /v1/partitions HTTP/1.1\r\nConnection: close\r\n\r\n"],
  ["a header without end", `GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
  ["another protocol's version", "GET / HTTP/9.9\r\nHost: h\r\n\r\n"],
];

export const malformedRequests = feature(
  "malformed",
  "what cannot be read as a request gets a 4xx and takes nothing down",
  {
    ...each(
      MALFORMED,
      ([what]) => `${what} is refused`,
      async ({ raw, send }, [, bytes]) => {
        assert.match(await raw(bytes), /^HTTP\/1\.1 4\d\d /);
        hasStatus(await send("GET", "/v1/partitions"), 200);
      },
    ),

    "headers that are too large are told as such, with a problem": async ({ raw }) => {
      const answer = await raw(`GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 431 /);
      assert.match(answer, /application\/problem\+json/);
      assert.match(answer, /\/problems\/headers-too-large/);
    },
  },
);
