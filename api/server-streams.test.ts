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

const answer = async (incoming: Incoming) => ({ status: 200, headers: {}, body: await handle(incoming) });

beforeAll(async () => {
  port = await findFreePort();
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
    await expect.poll(standsStill, { interval: 300 }).toBe(true);
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

describe.each(["/v1/kv/n/k", "/streams"])("a body that is read as it comes, to %s,", (path) => {
  const request = (headers: string) => `POST ${path} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;
  const chunk = (size: number) => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;

  test("is answered while it comes, and leaves the connection for the next request", async () => {
    const echo = async (incoming: Incoming) => {
      const chunks = incoming.chunks()[Symbol.asyncIterator]();
      return new ReadableStream<Uint8Array>(
        {
          pull: async (controller) => {
            const { done, value } = await chunks.next();
            if (done) controller.close();
            else controller.enqueue(Buffer.from(`<${value.byteLength}>`));
          },
        },
        { highWaterMark: 0 },
      );
    };
    handle = echo;
    const { socket, heard } = openPeer(port, request("Transfer-Encoding: chunked\r\n"));
    for (const size of [3, 5]) {
      socket.write(chunk(size));
      await expect.poll(heard).toContain(`<${size}>`);
    }
    socket.write("0\r\n\r\n");
    await expect.poll(heard).toMatch(/0\r\n\r\n$/);
    handle = async () => "another";
    socket.write(request("Content-Length: 0\r\n"));
    await expect.poll(heard).toContain("another");
  });

  test("is not read further than it is asked for, whatever its length", async () => {
    let first: IteratorResult<Uint8Array> | undefined;
    let answer: (text: string) => void = () => undefined;
    handle = async (incoming) => {
      first = await incoming.chunks()[Symbol.asyncIterator]().next();
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const { socket, heard } = openPeer(port, request(`Content-Length: ${1024 * MEBIBYTE}\r\n`));
    // What both systems keep for the connection is some MiB; then it takes no more.
    for (let sent = 0; sent < 64 && socket.writableLength < 8 * MEBIBYTE; sent += 1)
      socket.write(Buffer.alloc(MEBIBYTE));
    await expect.poll(() => first?.done).toBe(false);
    expect(socket.writableLength).toBeGreaterThan(0);
    answer("enough");
    await expect.poll(heard).toContain("enough");
    socket.destroy();
  });

  test("that breaks off is told as that", async () => {
    let told: unknown;
    handle = async (incoming) => {
      try {
        for await (const _ of incoming.chunks());
      } catch (error) {
        told = error;
      }
      return null;
    };
    const { socket } = openPeer(port, request("Content-Length: 10\r\n"));
    socket.write("abc");
    socket.end();
    await expect.poll(() => told).toMatchObject({ slug: "invalid-body" });
  });
});

test("a client that takes nothing of its answer is hung up on; one that takes it slowly is not", async () => {
  // So long that a client on a loaded machine is not taken for one that stands still.
  const stallMs = 1_500;
  const impatient = await findFreePort();
  const app = { answerKey: answer, fetch: () => new Response(), refuse: () => problemAnswer("internal", "r") };
  const other = new HttpServer("127.0.0.1", impatient, 10, app, (error) => reported.push(error), stallMs);
  await other.start();
  let cancelled = 0;
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(MEBIBYTE)),
      cancel: () => {
        cancelled += 1;
      },
    });
  handle = async () => endless();
  const request = "GET /v1/kv/n/k HTTP/1.1\r\nHost: h\r\n\r\n";
  const [idle, slow] = [openPeer(impatient, request), openPeer(impatient, request)];
  idle.socket.pause();
  let taken = 0;
  slow.socket.on("data", () => {
    taken += 1;
    slow.socket.pause();
    setTimeout(() => slow.socket.resume(), 20);
  });
  await expect.poll(() => cancelled).toBe(1);
  const before = taken;
  await expect.poll(() => taken).toBeGreaterThan(before);
  expect([cancelled, slow.socket.destroyed]).toEqual([1, false]);
  slow.socket.destroy();
  await expect.poll(() => cancelled).toBe(2);
  await other.stop();
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
