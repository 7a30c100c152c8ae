import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { entries, put } from "../../tests/harness/log-entries.ts";
import type { RedisServer } from "../../tests/harness/redis-server.ts";
import { type StoreLab, startStoreLab } from "../../tests/harness/store-lab.ts";
import { partitionKeys } from "../keys.ts";
import type { Link } from "../redis/link.ts";
import type { Store } from "../store.ts";
import { parseAppliedMessage, WATERMARK_ZERO } from "./apply.ts";

const PARTITION = 0;
const keys = partitionKeys(1)[PARTITION];
if (!keys) throw new Error("no such partition");
const NEXT = { id: "2000-5", ordinal: 7 };

let lab: StoreLab;
let redis: RedisServer;
let link: Link;
let store: Store;

beforeAll(async () => {
  lab = await startStoreLab();
  ({ redis, link, store } = lab);
});

beforeEach(() => lab.reset());

describe("accepting a loss", () => {
  test("moves the watermark, and what was given up stays written down", async () => {
    expect(await store.advance(PARTITION, WATERMARK_ZERO, NEXT)).toBe(true);
    expect(await store.watermark(PARTITION)).toEqual(NEXT);
    const later = { id: "3000-0", ordinal: 9 };
    expect(await store.advance(PARTITION, NEXT, later)).toBe(true);
    expect(await store.losses(PARTITION, 10)).toEqual([
      { from: NEXT, to: later, count: 2 },
      { from: WATERMARK_ZERO, to: NEXT, count: 7 },
    ]);
  });

  test("changes nothing when the store stands elsewhere than was told", async () => {
    const reply = await store.apply(PARTITION, WATERMARK_ZERO, entries([put("a", "1")]));
    expect(await store.advance(PARTITION, WATERMARK_ZERO, NEXT)).toBe(false);
    expect(await store.watermark(PARTITION)).toEqual(reply.watermark);
    expect(await store.losses(PARTITION, 10)).toEqual([]);
  });

  test("is told as a jump: nobody who waits for a lost command hears that it was applied", async () => {
    const subscriber = await openLink(redis.url);
    const told: string[] = [];
    subscriber.client.on("message", (_, message: string) => told.push(message));
    await subscriber.client.subscribe(keys.applied);
    await store.announceJump(PARTITION, NEXT);
    await store.advance(PARTITION, WATERMARK_ZERO, NEXT);
    await expect.poll(() => told.length).toBe(2);
    expect(told.map(parseAppliedMessage)).toEqual(
      [0, 1].map(() => ({ watermark: NEXT, results: new Map(), jump: true })),
    );
  });
});

describe("the producers' sequences", () => {
  test("are the last ones applied, without the hash's own fields", async () => {
    await store.apply(PARTITION, WATERMARK_ZERO, entries([put("a", "1"), put("b", "2")]));
    await link.call({ name: "HSET", args: [keys.producers, "@jumped", "3"] });
    expect(Object.fromEntries(await store.sequences(PARTITION))).toEqual({ p: 2 });
  });
});
