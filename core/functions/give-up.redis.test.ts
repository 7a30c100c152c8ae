import { beforeAll, beforeEach, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { openProducer, type Producer } from "../../tests/harness/producer.ts";
import { type RedisServer, startRedis } from "../../tests/harness/redis-server.ts";
import { GIVE_UP_PAGE_MAX_COMMANDS } from "../limits.ts";
import type { Link } from "../redis/link.ts";

let server: RedisServer;
let link: Link;
let producer: Producer;

beforeAll(async () => {
  server = await startRedis();
  link = await openLink(server.url);
});

beforeEach(async () => {
  await link.call({ name: "FLUSHALL", args: [] });
  producer = await openProducer(server, 1);
});

const append = (first: number, count: number) => producer.increments(0, "n", "k", first, count);
const held = async () => (await producer.log.range(0, "0-0", 10_000)).length;

test("what is given up is removed, all of it, over many calls; what is before stays, and ordinals go on", async () => {
  await append(1, 3);
  const { lastId: base } = await producer.log.position(0);
  await append(4, 2 * GIVE_UP_PAGE_MAX_COMMANDS + 1);
  const { lastId, ordinal } = await producer.log.position(0);
  expect(await producer.log.giveUp(0, base, lastId)).toBe(true);
  expect(await held()).toBe(3);
  expect(await producer.log.position(0)).toMatchObject({ lastId, ordinal });
  expect((await append(ordinal + 1, 1)).firstOrdinal).toBe(ordinal + 1);
});

test("nothing is removed when the log has gone on since the operator looked, or stands behind a fence", async () => {
  await append(1, 3);
  const { lastId, era } = await producer.log.position(0);
  await append(4, 1);
  expect(await producer.log.giveUp(0, "0-0", lastId)).toBe(false);
  expect(await held()).toBe(4);
  const position = await producer.log.position(0);
  await producer.log.fence(0, { id: position.lastId, ordinal: 4 }, era);
  expect(await producer.log.giveUp(0, "0-0", position.lastId)).toBe(false);
  expect(await held()).toBe(4);
});
