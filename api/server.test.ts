import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findFreePort } from "../infra/local/ports.ts";
import { closePeers, openPeer } from "../tests/harness/peer.ts";
import type { App } from "./app.ts";
import { ProblemError } from "./errors.ts";
import type { Incoming } from "./exchange.ts";
import { problemAnswer } from "./problem.ts";
import { HttpServer } from "./server.ts";

const MEBIBYTE = 1024 * 1024;

const reported: unknown[] = [];
let port: number;
let server: HttpServer;
/** What the app answers to a request for a key. */
let handle: (incoming: Incoming) => Promise<string>;

const app: App = {
  fetch: (request) => new Response(`fetched ${request.method} ${new URL(request.url).pathname}`),
  answerKey: async (incoming) => {
    try {
      return { status: 200, headers: {}, body: await handle(incoming) };
    } catch (error) {
      if (error instanceof ProblemError) return problemAnswer(error.slug, "r");
      throw error;
    }
  },
  refuse: (slug) => problemAnswer(slug, "r"),
};

beforeAll(async () => {
  port = await findFreePort();
  server = new HttpServer("127.0.0.1", port, 1_000, app, (error) => reported.push(error));
  await server.start();
});

beforeEach(() => {
  handle = async (incoming) => `${(await incoming.body()).byteLength} bytes`;
  reported.length = 0;
});

afterAll(async () => {
  closePeers();
  await server.stop();
});

const peer = (text: string, to = port) => openPeer(to, text);
const put = (headers: string, body = "") => `PUT /v1/kv/n/k HTTP/1.1\r\nHost: h\r\n${headers}\r\n${body}`;
const chunk = (size: number) => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;

describe("a body", () => {
  test.each([
    ["none", "", 0],
    ["of declared length", "Content-Length: 3\r\n", 3, "abc"],
    ["of declared length 0", "Content-Length: 0\r\n", 0],
    ["in chunks", "Transfer-Encoding: chunked\r\n", 5, `${chunk(2)}${chunk(3)}0\r\n\r\n`],
    ["as large as may be", `Content-Length: ${MEBIBYTE}\r\n`, MEBIBYTE, "x".repeat(MEBIBYTE)],
  ])("%s comes whole", async (_, headers, length, body = "") => {
    const { all } = peer(put(`Connection: close\r\n${headers}`, body));
    expect(await all).toMatch(
      new RegExp(`^HTTP/1.1 200 (.|\r\n)*Content-Length: \\d+\r\n(.|\r\n)*\r\n\r\n${length} bytes$`),
    );
  });

  test("too large in chunks: 413 at the limit, and a sender that never ends is cut off", async () => {
    const { socket, all } = peer(put("Transfer-Encoding: chunked\r\n"));
    const sending = setInterval(() => socket.write(chunk(65_536)), 1);
    expect(await all).toMatch(/^HTTP\/1.1 413 /);
    clearInterval(sending);
  });

  test("too large by its length: 413 at once, and no 100 for who asks before", async () => {
    const { heard } = peer(put(`Content-Length: ${MEBIBYTE + 1}\r\nExpect: 100-continue\r\n`));
    await expect.poll(heard).toMatch(/^HTTP\/1.1 413 /);
  });

  test("who asks before sending what is small enough is told to go on", async () => {
    const { socket, heard } = peer(put("Content-Length: 3\r\nExpect: 100-continue\r\n"));
    await expect.poll(heard).toMatch(/^HTTP\/1.1 100 /);
    socket.write("abc");
    await expect.poll(heard).toContain("3 bytes");
  });

  test("that breaks off ends the handler's waiting", async () => {
    let ended: unknown;
    handle = (incoming) =>
      incoming.body().then(
        () => "whole",
        (error: unknown) => {
          ended = error;
          throw error;
        },
      );
    const { socket } = peer(put("Content-Length: 10\r\n", "abc"));
    await once(socket, "connect");
    socket.end();
    await expect.poll(() => ended).toMatchObject({ slug: "invalid-body" });
    expect(reported).toEqual([]);
  });

  test("that nobody wants does not disturb the next request of the connection", async () => {
    handle = async () => "ignored";
    const { heard } = peer(put("Content-Length: 3\r\n", "abc") + put("Content-Length: 3\r\n", "abc"));
    await expect.poll(() => heard().match(/ignored/g)?.length).toBe(2);
  });
});

test("a handler that waits is told when its client goes away, and not when it is answered", async () => {
  const gone: boolean[] = [];
  handle = async (incoming) => {
    const signal = incoming.gone;
    signal.addEventListener("abort", () => gone.push(true));
    if (incoming.target.endsWith("fast")) return "answered";
    await once(signal, "abort");
    return "too late";
  };
  const fast = peer("GET /v1/kv/n/fast HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  await fast.all;
  expect(gone).toEqual([]);
  const { socket } = peer("GET /v1/kv/n/slow HTTP/1.1\r\nHost: h\r\n\r\n");
  await once(socket, "connect");
  setTimeout(() => socket.destroy(), 20);
  await expect.poll(() => gone).toEqual([true]);
});

describe("a target is given as it came", () => {
  test.each(["/v1/kv/n/a/../b", "/v1/kv/n/%2e%2e/a%2Fb", '/v1/kv/n/{"a"}', "/v1/kv/n/k?a=b%20c"])(
    "%s",
    async (path) => {
      handle = async ({ target }) => target;
      const { all } = peer(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
      expect((await all).split("\r\n\r\n")[1]).toBe(path);
    },
  );

  test("what is not for a key goes through fetch", async () => {
    const { all } = peer("GET /v1/partitions HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    expect(await all).toContain("fetched GET /v1/partitions");
  });
});

describe("what is no request gets a problem, and its connection is closed", () => {
  test.each([
    ["no HTTP at all", "hello\r\n\r\n", 400, "malformed-request"],
    ["two lengths at once", put("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400, "malformed-request"],
    ["endless headers", put(`X: ${"x".repeat(20_000)}\r\n`), 431, "headers-too-large"],
    [
      "a backslash where URL parsers differ",
      "GET /v1\\x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
      400,
      "malformed-request",
    ],
  ])("%s", async (_, text, status, slug) => {
    const { all } = peer(text);
    const [head = "", body = ""] = (await all).split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head.toLowerCase()).toContain("content-type: application/problem+json");
    expect(JSON.parse(body)).toMatchObject({ type: `/problems/${slug}`, status });
    expect(reported).toEqual([]);
  });
});

test("an error that should not be is told, and takes nothing down", async () => {
  handle = () => Promise.reject(new Error("broken"));
  expect(await peer("GET /v1/kv/n/k HTTP/1.1\r\nHost: h\r\n\r\n").all).toBe("");
  expect(reported).toMatchObject([{ message: "broken" }]);
  handle = async () => "still here";
  const { heard } = peer("GET /v1/kv/n/k HTTP/1.1\r\nHost: h\r\n\r\n");
  await expect.poll(heard).toContain("still here");
});

test("a connection that is one too many is told so at its first request, and closed; later ones are served again", async () => {
  const [small, most] = [await findFreePort(), 3];
  const bounded = new HttpServer("127.0.0.1", small, most, app, (error) => reported.push(error));
  await bounded.start();
  handle = async () => "served";
  const request = "GET /v1/kv/n/k HTTP/1.1\r\nHost: h\r\n\r\n";
  const served = Array.from({ length: most }, () => peer(request, small));
  for (const { heard } of served) await expect.poll(heard).toContain("served");
  const [head = "", body = ""] = (await peer(request, small).all).split("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1.1 503 (.|\r\n)*Retry-After: 1\r\n/);
  expect(JSON.parse(body)).toMatchObject({ type: "/problems/overloaded" });
  served[0]?.socket.destroy();
  await expect.poll(() => peer(request.replace("h\r\n", "h\r\nConnection: close\r\n"), small).all).toContain("served");
  await bounded.stop();
});

// The last one: it stops the server of all.
test("stopping answers what is in flight with Connection: close, and closes what is idle or never spoke, at once", async () => {
  const silent = peer("");
  await once(silent.socket, "connect");
  const request = "GET /v1/kv/n/k HTTP/1.1\r\nHost: h\r\n\r\n";
  handle = async () => "first";
  const idle = peer(request);
  await expect.poll(idle.heard).toContain("Connection: keep-alive");
  let release: (text: string) => void = () => undefined;
  let asked = false;
  handle = () => {
    asked = true;
    return new Promise((resolve) => {
      release = resolve;
    });
  };
  const waiting = peer(request);
  await expect.poll(() => asked).toBe(true);
  const stopped = server.stop();
  expect(server.serving).toBe(false);
  await idle.all;
  const startMs = performance.now();
  await silent.all;
  expect(performance.now() - startMs).toBeLessThan(8_000);
  release("answered");
  expect(await waiting.all).toMatch(/Connection: close\r\n(.|\r\n)*answered$/);
  await stopped;
});
