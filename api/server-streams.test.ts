import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findFreePort } from "../infra/local/ports.ts";
import { closePeers, openPeer } from "../tests/harness/peer.ts";
import { type Answer, fromRequest, type Incoming, toResponse } from "./exchange.ts";
import { problemAnswer } from "./problem.ts";
import { HttpServer } from "./server.ts";

const MEBIBYTE = 1024 * 1024;

const reported: unknown[] = [];
let port: number;
let server: HttpServer;
let handle: (incoming: Incoming) => Promise<Answer["body"]>;

beforeAll(async () => {
  port = await findFreePort();
  const answer = async (incoming: Incoming) => ({ status: 200, headers: {}, body: await handle(incoming) });
  const app = {
    answerKey: answer,
    fetch: async (request: Request) => toResponse(await answer(fromRequest(request))),
    refuse: () => problemAnswer("internal", "r"),
  };
  server = new HttpServer("127.0.0.1", port, 1_000, app, (error) => reported.push(error));
  await server.start();
});

beforeEach(() => {
  reported.length = 0;
});

afterAll(async () => {
  closePeers();
  await server.stop();
});

describe.each(["/v1/kv/n/k", "/streams"])("an answer that is a stream, to %s,", (path) => {
  const request = `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
  let pulls: number;
  let cancelled: boolean;
  const streamOf = (pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void) => async () => {
    pulls = 0;
    cancelled = false;
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulls += 1;
          pull(controller);
        },
        cancel: () => {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
  };

  test("is sent as it comes, and leaves the connection for the next request", async () => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    handle = streamOf((given) => {
      controller = given;
    });
    const { socket, heard } = openPeer(port, request);
    await expect.poll(heard).toContain("200 OK");
    for (const part of ["first", "second"]) {
      await expect.poll(() => controller !== undefined).toBe(true);
      controller?.enqueue(Buffer.from(part));
      await expect.poll(heard).toContain(part);
    }
    controller?.close();
    await expect.poll(heard).toMatch(/0\r\n\r\n$/);
    handle = async () => "another";
    socket.write(request);
    await expect.poll(heard).toContain("another");
  });

  test("is asked for no more than its client takes", async () => {
    handle = streamOf((controller) => controller.enqueue(new Uint8Array(MEBIBYTE)));
    const { socket } = openPeer(port, request);
    socket.pause();
    let before = 0;
    const standsStill = () => {
      const still = pulls > 0 && pulls === before;
      before = pulls;
      return still;
    };
    // What both systems keep for the connection is some MiB; then nothing moves any more.
    await expect.poll(standsStill, { interval: 300, timeout: 4_000 }).toBe(true);
    expect(pulls).toBeLessThan(64);
    socket.destroy();
    await expect.poll(() => cancelled).toBe(true);
  });

  test("is cancelled when its client goes, also while it has nothing to say", async () => {
    let gone: AbortSignal | undefined;
    const stream = streamOf(() => undefined);
    handle = (incoming) => {
      ({ gone } = incoming);
      return stream();
    };
    const { socket, heard } = openPeer(port, request);
    await expect.poll(heard).toContain("200 OK");
    socket.destroy();
    await expect.poll(() => [cancelled, gone?.aborted]).toEqual([true, true]);
  });
});

test("an answer whose stream fails is cut off, and told", async () => {
  handle = async () =>
    new ReadableStream({
      pull: (controller) => {
        controller.enqueue(Buffer.from("part"));
        controller.error(new Error("broken"));
      },
    });
  const all = await openPeer(port, "GET /v1/kv/n/k HTTP/1.1\r\nHost: h\r\n\r\n").all;
  expect(all).not.toMatch(/0\r\n\r\n$/);
  expect(reported).toMatchObject([{ message: "broken" }]);
});
