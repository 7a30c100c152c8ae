import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { formatRevision } from "../../core/entry-id.ts";
import { Log } from "../../core/log.ts";
import { accepted, applied, httpClient, WAIT } from "../harness/http.ts";
import { keysIn } from "../harness/keys-of.ts";
import { openLink } from "../harness/link.ts";
import { readLog } from "../harness/log-reader.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 2;
const NAMESPACE = "halted";
const [KEYS, OTHERS] = [0, 1].map((partition) => keysIn(partition, PARTITIONS, NAMESPACE, 10)) as [string[], string[]];
/** A partition that stands still is looked at each second: after so long it has been looked at again. */
const TWO_LOOKS_S = 2;

/** Both partitions have been used, and everything is applied. */
async function start() {
  const stack = await startStack({ partitions: PARTITIONS });
  const client = httpClient(stack.url);
  const put = async (keys: readonly string[], value: string) => {
    const revisions = [];
    for (const key of keys) revisions.push(accepted(await client.put(NAMESPACE, key, value)));
    return revisions;
  };
  await put([...KEYS, ...OTHERS], "before");
  const partitions = watchPartitions(stack.url);
  await partitions.drained();
  const store = readStore(stack.store, PARTITIONS);
  const openLog = async () => new Log(await openLink(stack.log.url), PARTITIONS);
  /** Puts a command in the log of partition 0 past the API, which takes none for a partition that stands still. */
  const append = async (key: string) => {
    const operation = { op: "put", contentType: "text/plain", value: Buffer.from("after") } as const;
    const command = { namespace: NAMESPACE, key, operation, awaited: false, acceptedMs: Date.now() };
    const group = { producer: randomUUID(), firstSequence: 1, commands: [command] };
    return formatRevision(0, (await (await openLog()).append(0, group)).firstId);
  };
  const expectQueued = async (revision: string) => {
    expect(JSON.parse((await client.command(revision, TWO_LOOKS_S)).text)).toMatchObject({ status: "queued" });
  };
  return { stack, client, put, partitions, store, openLog, append, expectQueued };
}

describe.concurrent("a partition whose log and store do not fit together stands still and says so:", () => {
  test("its log is trimmed past what is applied: lost-base, nothing is applied, other partitions go on", async () => {
    const { stack, client, put, partitions, store, openLog, expectQueued } = await start();
    await stack.consumers[0]?.stop();
    const revisions = await put([...KEYS, ...OTHERS], "after");
    await (await openLog()).trim(0, revisions[4]?.id ?? "");
    const before = await store.watermark(0);

    const consumer = await stack.addConsumer();
    expect((await partitions.inState(0, "lost-base")).reason).toContain(revisions[4]?.id);
    await consumer.waitForLog("lost-base");
    await expectQueued(revisions[9]?.text ?? "");
    expect((await client.put(NAMESPACE, KEYS[0] ?? "", "later")).status).toBe(503);
    applied(await client.put(NAMESPACE, OTHERS[0] ?? "", "later", WAIT));
    expect(await store.watermark(0)).toEqual(before);
    for (const key of KEYS) expect((await client.get(NAMESPACE, key)).text).toBe("before");
    await partitions.inState(0, "lost-base");
    await partitions.inState(1, "ok");

    // Nothing that was applied is gone, and what the log still holds is applied after the loss.
    const shown = JSON.parse((await client.send("GET", "/v1/partitions/0")).text);
    expect(shown.loss).toMatchObject({ commands: 5, ordinals: { from: 11, to: 15 }, storeEmpty: false });
    const command = `/v1/partitions/0/accept-loss?confirm=${shown.loss.confirm}`;
    expect((await client.send("POST", command)).status).toBe(200);
    await partitions.inState(0, "ok");
    const values = await Promise.all(KEYS.map(async (key) => (await client.get(NAMESPACE, key)).text));
    expect(values).toEqual(KEYS.map((_, n) => (n < 5 ? "before" : "after")));
  });

  test("its store came back empty and its log is trimmed: lost-base, nothing is applied", async () => {
    const { stack, client, put, partitions, store, openLog, append, expectQueued } = await start();
    await (await openLog()).trim(0, (await store.watermark(0)).id);
    await stack.store.wipe();

    expect((await partitions.inState(0, "lost-base")).watermark).toContain("0-0");
    // The other partition's log holds everything: that one is healed.
    await partitions.inState(1, "ok");
    await put(OTHERS, "after");
    await expectQueued(await append(KEYS[0] ?? ""));
    applied(await client.put(NAMESPACE, OTHERS[0] ?? "", "later", WAIT));
    expect(await store.watermark(0)).toEqual({ id: "0-0", ordinal: 0 });
    expect(await store.redis.keys(store.keys(0).value("*", "*"))).toEqual([]);
    await partitions.inState(0, "lost-base");
  });

  test("its log has a hole after what is applied: lost-base, though the log still has newer commands", async () => {
    const { stack, client, put, partitions, store, append } = await start();
    await stack.consumers[0]?.stop();
    const revisions = await put(KEYS, "after");
    const log = readLog(stack.log, PARTITIONS);
    await log.redis.xdel(log.keys(0).log, revisions[0]?.id ?? "", revisions[1]?.id ?? "");
    const before = await store.watermark(0);

    const consumer = await stack.addConsumer();
    expect((await partitions.inState(0, "lost-base")).reason).toContain("goes on with 13");
    await consumer.waitForLog("lost-base");
    await append(KEYS[0] ?? "");
    expect(await store.watermark(0)).toEqual(before);
    const { loss } = JSON.parse((await client.send("GET", "/v1/partitions/0")).text);
    expect(loss).toMatchObject({ commands: 2, ordinals: { from: 11, to: 12 } });
    await client.send("POST", `/v1/partitions/0/accept-loss?confirm=${loss.confirm}`);
    await partitions.inState(0, "ok");
    expect((await store.watermark(0)).ordinal).toBe(21);
    expect((await client.get(NAMESPACE, KEYS[1] ?? "")).text).toBe("before");
    expect((await client.get(NAMESPACE, KEYS[9] ?? "")).text).toBe("after");
  });
});

test.concurrent("a store that came back empty is healed by replay, to exactly the same state, when the log holds everything", async () => {
  const { stack, client, partitions, store } = await start();
  const [first = ""] = KEYS;
  const created = (await client.put(NAMESPACE, "compared", "1", WAIT)).headers.etag ?? "";
  expect((await client.put(NAMESPACE, "compared", "2", { headers: { "if-match": created } })).status).toBe(202);
  const refused = await client.put(NAMESPACE, "compared", "3", { headers: { prefer: "wait=5", "if-match": created } });
  expect(refused.status).toBe(412);
  const log = readLog(stack.log, PARTITIONS);
  await log.redis.xadd(log.keys(0).log, "*", "not", "a command");
  for (let n = 0; n < 100; n += 1) {
    await client.increment(NAMESPACE, `counter-${n % 3}`, String(n));
    if (n % 10 === 0) await client.remove(NAMESPACE, n % 20 === 0 ? first : "nothing");
    if (n % 10 === 5) await client.put(NAMESPACE, first, `value ${n}`);
  }
  await partitions.drained();
  await waitFor(async () => (await store.dead(0)).length === 1, { what: "what is no command parked" });
  const before = await store.snapshot();

  await stack.store.wipe();
  await waitFor(async () => (await store.applied()) > 0, { what: "the store refilled" });
  await partitions.drained();
  await partitions.inState(0, "ok");
  expect(await store.snapshot()).toEqual(before);
  applied(await client.put(NAMESPACE, first, "after", WAIT));
});
