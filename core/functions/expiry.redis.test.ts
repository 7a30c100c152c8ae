import { beforeAll, beforeEach, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { startRedis } from "../../tests/harness/redis-server.ts";
import type { Command, Expiry, Operation } from "../command.ts";
import { ACCEPT_LEAD_MAX_MS } from "../limits.ts";
import type { Link } from "../redis/link.ts";
import { Store } from "../store.ts";
import { type ApplicableEntry, WATERMARK_ZERO, type Watermark } from "./apply.ts";

let link: Link;
let store: Store;
let watermark: Watermark;
let applied: ApplicableEntry[];

beforeAll(async () => {
  link = await openLink((await startRedis({ kind: "store" })).url);
  store = new Store(link, 1);
});
beforeEach(async () => {
  await link.call({ name: "FLUSHALL", args: [] });
  watermark = WATERMARK_ZERO;
  applied = [];
});

const T = 1_000_000_000;
const text = (value: string, more: { expiry?: Expiry; metadata?: string } = {}): Operation => ({
  op: "put",
  contentType: "text/plain",
  value: Buffer.from(value),
  ...more,
});
const EXPIRE: Operation = { op: "expire" };

/** Applies one command that was accepted at a time, by an api and a log whose clocks agree unless said otherwise. */
async function at(acceptedMs: number, operation: Operation, more: Partial<Command> & { logMs?: number } = {}) {
  const { logMs = acceptedMs, ...said } = more;
  const ordinal = watermark.ordinal + 1;
  const id = `${Math.max(logMs, Number(watermark.id.split("-")[0]))}-${ordinal}`;
  const command: Command = { namespace: "n", key: "k", operation, awaited: false, acceptedMs, ...said };
  const entry: ApplicableEntry = {
    kind: "command",
    id,
    ordinal,
    stamp: { producer: "p", sequence: ordinal },
    header: "{}",
    command,
  };
  applied.push(entry);
  const reply = await store.apply(0, watermark, [entry]);
  expect(reply.kind).toBe("applied");
  watermark = reply.watermark;
  return await store.outcome(0, id);
}

const stored = async () => (await store.read(0, "n", "k")).stored;
const due = async (ms: number) => (await store.due(0, ms, 10)).map(({ key }) => key);

test("a time to live counts from when its command is applied, and is listed as due from then on", async () => {
  await at(T, text("v", { expiry: { ttlMs: 5_000 } }));
  expect(await stored()).toMatchObject({ expiresMs: T + 5_000 });
  expect(await due(T + 4_999)).toEqual([]);
  expect(await due(T + 5_000)).toEqual(["k"]);
});

test("a key that has expired is absent for every command after, before anything has removed it", async () => {
  await at(T, text("7", { expiry: { atMs: T + 10 }, metadata: '{"a":1}' }));
  expect(await at(T + 9, text("no"), { condition: { kind: "none-match", id: "*" } })).toMatchObject({
    reason: "condition-not-met",
  });
  expect(await at(T + 10, text("no"), { condition: { kind: "match", id: "*" } })).toMatchObject({
    reason: "condition-not-met",
  });
  expect(await at(T + 10, { op: "delete" })).toEqual({ outcome: "applied", effect: "absent" });
  expect(await at(T + 10, { op: "increment", by: "1" })).toEqual({ outcome: "applied", effect: "counted", value: "1" });
  expect(await stored()).not.toHaveProperty("expiresMs");
  expect(await stored()).not.toHaveProperty("metadata");
  expect(await due(T * 2)).toEqual([]);
});

test("expire removes what is due, and nothing that was written again, lives longer, or never expired", async () => {
  await at(T, text("v", { expiry: { atMs: T + 10 } }));
  expect(await at(T + 9, EXPIRE)).toEqual({ outcome: "applied", effect: "absent" });
  await at(T + 9, text("v", { expiry: { atMs: T + 20 } }));
  expect(await at(T + 10, EXPIRE)).toEqual({ outcome: "applied", effect: "absent" });
  expect(await stored()).toMatchObject({ expiresMs: T + 20 });
  expect(await at(T + 20, EXPIRE)).toBeNull();
  expect(await stored()).toBeNull();
  expect(await due(T * 2)).toEqual([]);
  const names = ((await link.call({ name: "KEYS", args: ["*"] })) as Buffer[]).map(String).sort();
  expect(names).toEqual(["outcomes", "producers", "watermark"].map((name) => `mr:{p00}:${name}`));
  await at(T + 21, text("stays"));
  expect(await at(T * 2, EXPIRE)).toEqual({ outcome: "applied", effect: "absent" });
  expect(await stored()).not.toBeNull();
});

test("a list of expiries that is wrong is set right, and never makes a dead letter", async () => {
  const value = "mr:{p00}:k:n/k";
  await link.call({ name: "ZADD", args: ["mr:{p00}:expiries", 1, value] });
  await link.call({ name: "RPUSH", args: [value, "foreign"] });
  expect(await at(T, EXPIRE)).toEqual({ outcome: "applied", effect: "absent" });
  expect(await due(T * 2)).toEqual([]);
  expect((await store.letterCounts())[0]?.letters).toBe(0);
});

test("put forgets expiry and metadata unless told otherwise; counting and patching keep them", async () => {
  await at(T, text("1", { expiry: { atMs: T + 100 }, metadata: '{"a":1}' }));
  await at(T, { op: "increment", by: "1" });
  expect(await stored()).toMatchObject({ expiresMs: T + 100, metadata: '{"a":1}', contentType: "text/plain" });
  await at(T, { op: "patch", value: Buffer.from("3") });
  expect(await stored()).toMatchObject({ expiresMs: T + 100, metadata: '{"a":1}', contentType: "text/plain" });
  await at(T, { op: "increment", by: "1", expiry: { ttlMs: 50 } });
  expect(await stored()).toMatchObject({ expiresMs: T + 50, metadata: '{"a":1}' });
  await at(T, text("2", { expiry: "keep" }));
  expect(await stored()).toMatchObject({ expiresMs: T + 50 });
  expect(await stored()).not.toHaveProperty("metadata");
  await at(T, text("3"));
  expect(await stored()).not.toHaveProperty("expiresMs");
  expect(await due(T * 2)).toEqual([]);
});

test("time never goes back, and no api's clock takes it more than a minute ahead of the log's", async () => {
  await at(T, text("v", { expiry: { atMs: T + 10 } }));
  await at(T + 10, text("other"), { key: "other" });
  // An api whose clock is behind: for the partition it is later already.
  expect(await at(T, { op: "delete" })).toEqual({ outcome: "applied", effect: "absent" });
  await at(T + 10, text("w", { expiry: { atMs: T + 2 * ACCEPT_LEAD_MAX_MS } }));
  await at(T + 1_000_000_000, text("other"), { key: "other", logMs: T + 11 });
  expect(await at(T + 12, EXPIRE)).toEqual({ outcome: "applied", effect: "absent" });
  expect(await stored()).not.toBeNull();
});

test("the same log gives the same store, whatever the batches", async () => {
  for (let step = 0; step < 60; step += 1) {
    const key = `k${step % 5}`;
    const expiry = { ttlMs: 1 + ((step * 7) % 9) };
    if (step % 4 === 3) await at(T + step, EXPIRE, { key });
    else if (step % 4 === 2) await at(T + step, { op: "increment", by: "1" }, { key });
    else await at(T + step, text(`${step}`, { expiry }), { key });
  }
  const dump = async () => {
    const names = ((await link.call({ name: "KEYS", args: ["*"] })) as Buffer[]).map(String).sort();
    return Promise.all(names.map(async (name) => [name, String(await link.call({ name: "DUMP", args: [name] }))]));
  };
  const oneByOne = await dump();
  await link.call({ name: "FLUSHALL", args: [] });
  await store.apply(0, WATERMARK_ZERO, applied);
  expect(await dump()).toEqual(oneByOne);
});
