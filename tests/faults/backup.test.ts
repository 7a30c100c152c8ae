import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { destroy, KEY, NAMESPACE, PARTITIONS, startBackedUp } from "../harness/backed-up.ts";
import { keepDoing } from "../harness/crowd.ts";
import { accepted, httpClient, WAIT } from "../harness/http.ts";
import { keysIn } from "../harness/keys-of.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startRedis } from "../harness/redis-server.ts";
import { waitFor } from "../harness/wait-for.ts";

type BackedUp = Awaited<ReturnType<typeof startBackedUp>>;

let millrace: BackedUp;

beforeEach(async () => {
  millrace = await startBackedUp();
});

/** What the next test does not need must not take the machine's time. */
afterEach(() => millrace.stack.stop());

test("a store that is destroyed while writes go on, and whose log is trimmed up to the backup, comes back with every acknowledged write once and in order", async () => {
  const { stack, client, partitions, log, lab, stopConsumers } = millrace;
  const replica = await startRedis({ kind: "store", args: ["--replicaof", "127.0.0.1", String(stack.store.port)] });
  const withReplica = { STORE_NODES: `127.0.0.1:${stack.store.port},127.0.0.1:${replica.port}` };
  const keys = [0, 1].flatMap((partition) => keysIn(partition, PARTITIONS, NAMESPACE, 2));
  const counted = keys.map(() => 0);
  const writing = keepDoing(keys.length, async (index) => {
    const turn = index % keys.length;
    accepted(await client.increment(NAMESPACE, keys[turn] ?? ""));
    counted[turn] = (counted[turn] ?? 0) + 1;
  });
  let last = 0;
  const inOrder = keepDoing(1, async (index) => {
    accepted(await client.put(NAMESPACE, "last", String(index)));
    last = index;
  });
  const more = async () => {
    const [a, b] = [writing.count, inOrder.count];
    await waitFor(() => writing.count > a + 50 && inOrder.count > b + 50);
  };

  await more();
  const { code, said } = await waitFor(async () => {
    const run = await lab.backup(withReplica);
    return run.said.includes("no replica") ? false : run;
  });
  expect(code, said).toBe(0);
  const manifest = await lab.manifest((await lab.names()).at(-1) ?? "");
  expect(manifest.storeFrom).toBe(`127.0.0.1:${replica.port}`);
  await more();
  // Nothing but the backup holds what is behind its watermark.
  await waitFor(async () =>
    (await partitions.view()).every(
      ({ ordinal, partition }) => ordinal > (manifest.watermarks[partition]?.ordinal ?? 0),
    ),
  );
  for (const [partition, { id }] of manifest.watermarks.entries())
    expect(await log.trim(partition, id)).toBeGreaterThan(0);
  await destroy(stack.store);
  await more();
  const restored = await lab.restore("store", stack.store);
  expect(restored.code, restored.said).toBe(0);
  await stack.store.restart();
  await more();
  await Promise.all([writing.stop(), inOrder.stop()]);

  await partitions.drained();
  for (const partition of [0, 1]) await partitions.inState(partition, "ok");
  const values = await Promise.all(keys.map(async (key) => Number((await client.get(NAMESPACE, key)).text)));
  expect(values).toEqual(counted);
  expect((await client.get(NAMESPACE, "last")).text).toBe(String(last));
  await stopConsumers();
});

test("a backup that the log does not reach back to is told as such, halts when it is restored, and says what is lost", async () => {
  const { stack, store, lab, partitions, log, good, put, both, loss, accept, stopConsumers, client } = millrace;
  await put("backed up");
  await good();
  const [first] = await put("trimmed");
  const [second] = await put("held");
  await stopConsumers();
  expect(first?.id).toBeDefined();
  await log.trim(0, first?.id ?? "");

  await destroy(stack.store);
  const refused = await lab.restore("store", stack.store);
  expect(refused).toMatchObject({ code: 3 });
  expect(refused.said).toContain(`partition 0: the backup is at`);
  expect(refused.said).not.toContain("partition 1:");
  expect(await readdir(stack.store.dir)).toEqual([]);
  expect(await lab.restore("store", stack.store, { RESTORE_TRIMMED: "yes" })).toMatchObject({ code: 0 });
  await stack.store.restart();
  await stack.addConsumer();
  await partitions.inState(0, "lost-base");
  await partitions.inState(1, "ok");
  expect((await client.put(NAMESPACE, KEY, "refused")).status).toBe(503);
  expect(await loss(0)).toMatchObject({ commands: 1 });
  expect(await accept(0)).toBe(200);
  await partitions.inState(0, "ok");
  await partitions.drained();
  expect(await both()).toEqual(["held", "held"]);
  expect((await store.watermark(0)).id).toBe(second?.id);

  // A backup that is behind the log's floor already when it is taken does not call itself good.
  await stopConsumers();
  const behind = accepted(await client.put(NAMESPACE, KEY, "trimmed too"));
  await log.trim(0, behind.id);
  const run = await lab.backup();
  expect(run).toMatchObject({ code: 2 });
  expect(run.said).toContain("NOT GOOD");
  expect((await lab.manifest((await lab.names()).at(-1) ?? "")).good).toBe(false);
});

test("rotation keeps so many good backups, the newest ones, and neither a failed run nor one that is not good costs a good one", async () => {
  const { stack, client, lab, log, good, put, stopConsumers } = millrace;
  await put("x");
  const keep = { BACKUP_KEEP: "2" };
  for (let n = 0; n < 3; n += 1) await good(keep);
  const [older, newer] = await lab.names();
  expect(await lab.names()).toHaveLength(2);
  await good(keep);
  const kept = await lab.names();
  expect(kept).toHaveLength(2);
  expect(kept[0]).toBe(newer);
  expect(kept).not.toContain(older);

  await stopConsumers();
  await log.trim(0, accepted(await client.put(NAMESPACE, KEY, "trimmed")).id);
  for (let n = 0; n < 3; n += 1) expect(await lab.backup(keep)).toMatchObject({ code: 2 });
  expect(await lab.names()).toEqual(expect.arrayContaining(kept));
  await stack.store.kill();
  expect(await lab.backup(keep)).toMatchObject({ code: 1 });
  expect(await lab.names()).toEqual(expect.arrayContaining(kept));
  expect((await readdir(lab.folder)).filter((name) => name.startsWith("."))).toEqual([]);
});

test("backups taken at the same moment have a second each: names are times, and none is in another's place", async () => {
  const { lab, put } = millrace;
  await put("x");
  const runs = await Promise.all([lab.backup(), lab.backup(), lab.backup()]);
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  const names = await lab.names();
  expect(names).toEqual([1, 2, 3].map(() => expect.stringMatching(/^\d{8}T\d{6}Z$/)));
  for (const name of names) expect((await lab.manifest(name)).text).toContain(`time ${name}\n`);
});

test("a damaged snapshot is refused, whether its manifest knows or not, and so is a server that runs; nothing is touched", async () => {
  const { stack, lab, good, put } = millrace;
  await put("x");
  const { text } = await good();
  expect((await lab.restore("store", stack.store)).said).toContain("answers. Stop all nodes");
  await stack.store.kill();
  const before = await readdir(stack.store.dir);
  const [name = ""] = await lab.names();
  const file = join(lab.folder, name, "store.rdb");
  const bytes = await readFile(file);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  await writeFile(file, bytes);
  const refused = await lab.restore("store", stack.store);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.said).toContain("damaged: its checksum");

  const checksum = createHash("sha256").update(bytes).digest("hex");
  await writeFile(join(lab.folder, name, "manifest"), text.replace(/^store_sha256 .*$/m, `store_sha256 ${checksum}`));
  const again = await lab.restore("store", stack.store);
  expect(again).toMatchObject({ code: 1 });
  expect(again.said).toContain("damaged: redis-check-rdb");
  expect(await readdir(stack.store.dir)).toEqual(before);
});

test("log and store are both destroyed: everything acknowledged before the backup is back, once, and writes go on", async () => {
  const { stack, client, lab, good, put, partitions, stopConsumers } = millrace;
  await put("backed up");
  for (let n = 0; n < 20; n += 1) accepted(await client.increment(NAMESPACE, "counter"));
  await good();
  await partitions.drained();
  for (let n = 0; n < 5; n += 1) accepted(await client.increment(NAMESPACE, "counter"));
  await stopConsumers();
  await stack.apis[0]?.stop();
  await Promise.all([destroy(stack.log), destroy(stack.store)]);
  for (const kind of ["log", "store"] as const) expect(await lab.restore(kind, stack[kind])).toMatchObject({ code: 0 });
  await Promise.all([stack.log.restart(), stack.store.restart()]);

  const api = await stack.addApi();
  await stack.addConsumer();
  const fresh = httpClient(api.url);
  await watchPartitions(api.url).drained();
  expect((await fresh.get(NAMESPACE, "counter")).text).toBe("20");
  expect((await fresh.get(NAMESPACE, KEY)).text).toBe("backed up");
  expect((await fresh.increment(NAMESPACE, "counter", "1", WAIT)).text).toBe("21");
});
