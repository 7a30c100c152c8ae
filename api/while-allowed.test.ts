import { beforeEach, expect, test } from "vitest";
import { STREAM_RECHECK_MS } from "../core/access-limits.ts";
import { whileAllowed } from "./while-allowed.ts";

let nowMs: number;
let allowed: boolean;
let asked: number;
let pulled: number;
let cancelled: boolean;
let reader: ReadableStreamDefaultReader<Uint8Array>;

beforeEach(() => {
  [nowMs, allowed, asked, pulled, cancelled] = [0, true, 0, 0, false];
  const source = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(Uint8Array.of(pulled));
      },
      cancel: () => {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const mayStill = async () => {
    asked += 1;
    return allowed;
  };
  reader = whileAllowed(source, mayStill, () => nowMs).getReader();
});

const next = async () => (await reader.read()).value?.[0] ?? null;

test("a stream goes on while it is allowed, at its client's pace, and asks once in a while", async () => {
  expect(await next()).toBe(1);
  expect([await next(), asked, pulled]).toEqual([2, 0, 2]);
  nowMs += STREAM_RECHECK_MS;
  expect([await next(), await next(), asked]).toEqual([3, 4, 1]);
});

test("nothing is told any more once it is not", async () => {
  expect(await next()).toBe(1);
  allowed = false;
  nowMs += STREAM_RECHECK_MS;
  expect([await next(), cancelled]).toEqual([null, true]);
});

test("a client that goes away ends it at its source", async () => {
  await next();
  await reader.cancel();
  expect(cancelled).toBe(true);
});
