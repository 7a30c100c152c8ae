import { beforeAll, beforeEach, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { startRedis } from "../../tests/harness/redis-server.ts";
import { decodeEntry, type ProducerStamp } from "../codec.ts";
import type { Command } from "../command.ts";
import { Log } from "../log.ts";
import type { Link } from "../redis/link.ts";
import { Store } from "../store.ts";
import { type ApplicableEntry, WATERMARK_ZERO } from "./apply.ts";

const command: Command = {
  namespace: "n",
  key: "k",
  operation: { op: "increment", by: "1" },
  awaited: false,
  acceptedMs: 1,
};

let link: Link;
let log: Log;
let store: Store;

beforeAll(async () => {
  link = await openLink((await startRedis()).url);
});

beforeEach(async () => {
  await link.call({ name: "FLUSHALL", args: [] });
  log = new Log(link, 1);
  store = new Store(link, 1);
});

const append = (producer: string, firstSequence: number, count: number, predecessor?: ProducerStamp) =>
  log.append(0, {
    producer,
    firstSequence,
    commands: Array.from({ length: count }, () => command),
    ...(predecessor && { predecessor }),
  });

/** Applies all that the log holds. @returns commands that the log never held, as apply counts them */
async function jumped(): Promise<number> {
  const entries = (await log.range(0, "0-0", 100)).map(([id, fields]) => decodeEntry(id, fields) as ApplicableEntry);
  const reply = await store.apply(0, WATERMARK_ZERO, entries);
  if (reply.kind !== "applied") throw new Error(reply.kind);
  return reply.jumped;
}

test("a producer whose first commands never came has lost them, although nobody had heard of it", async () => {
  await append("a", 4, 2);
  expect(await jumped()).toBe(3);
});

test("a producer that goes on under a new name says how far it was: what of that did not come is lost", async () => {
  await append("a", 1, 3);
  await append("b", 1, 2, { producer: "a", sequence: 7 });
  expect(await jumped()).toBe(4);
});

test("nothing is lost when all had come, nor when more had come than was acknowledged", async () => {
  await append("a", 1, 3);
  await append("b", 1, 1, { producer: "a", sequence: 3 });
  await append("c", 1, 1, { producer: "b", sequence: 1 });
  await append("d", 1, 1, { producer: "a", sequence: 2 });
  expect(await jumped()).toBe(0);
});

test("of a name that nobody has heard of all is lost", async () => {
  await append("b", 1, 1, { producer: "a", sequence: 7 });
  expect(await jumped()).toBe(7);
});

test("a key cannot pretend to be such a word", async () => {
  const key = '","s":1,"pp":"a","ps":9,"x":"';
  await log.append(0, { producer: "b", firstSequence: 1, commands: [{ ...command, key }] });
  expect(await jumped()).toBe(0);
});
