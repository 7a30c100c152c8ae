import { beforeAll, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { type RedisCluster, startRedisClusters } from "../../tests/harness/redis-cluster.ts";
import { waitFor } from "../../tests/harness/wait-for.ts";
import { decodeEntry } from "../codec.ts";
import type { Command } from "../command.ts";
import { checkFormat } from "../format-record.ts";
import type { ApplicableEntry } from "../functions/apply.ts";
import { Log } from "../log.ts";
import { Store } from "../store.ts";

const PARTITIONS = 16;
const ZERO = { id: "0-0", ordinal: 0 };

let log: RedisCluster;
let store: RedisCluster;

beforeAll(async () => {
  ({ log, store } = await startRedisClusters());
});

const command: Command = {
  namespace: "n",
  key: "k",
  operation: { op: "put", contentType: "text/plain", value: Buffer.from("v") },
  awaited: false,
  acceptedMs: 1,
};

test("over three masters every call of a partition stays in one slot: append, deliver, ack, align, trim, apply, read, coordinate", async () => {
  const [logLink, storeLink] = [await openLink(log.url), await openLink(store.url)];
  expect([logLink.masters().length, storeLink.masters().length]).toEqual([3, 3]);
  const [theLog, theStore] = [new Log(logLink, PARTITIONS), new Store(storeLink, PARTITIONS)];
  expect(await checkFormat(logLink, storeLink, PARTITIONS)).toEqual({ log: true, store: true });
  await Promise.all([theLog.prepare(), theStore.prepare()]);
  const numbers = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  const owners = new Set(await Promise.all(numbers.map((n) => log.ownerOf(`mr:{p${String(n).padStart(2, "0")}}:log`))));
  expect(owners.size).toBe(3);

  // All partitions at once, as a process under load does it.
  await Promise.all(
    numbers.map(async (partition) => {
      const group = { producer: "p", firstSequence: 1, commands: [command, command] };
      const { firstId } = await theLog.append(partition, group);
      await theLog.alignGroup(partition, ZERO, "c");
      const delivered = await theLog.deliver(partition, "c", 10);
      const entries = delivered.map(([id, fields]) => decodeEntry(id, fields)) as ApplicableEntry[];
      expect(await theStore.apply(partition, ZERO, entries)).toMatchObject({
        kind: "applied",
        watermark: { ordinal: 2 },
      });
      await theLog.ack(
        partition,
        delivered.map(([id]) => id),
      );
      expect((await theStore.read(partition, "n", "k")).stored?.contentType).toBe("text/plain");
      await theLog.trim(partition, firstId);
      expect(await theLog.range(partition, firstId, 10)).toHaveLength(1);
    }),
  );
  const request = { consumer: "c", leaseMs: 1000, release: [], claim: [1], states: new Map([[1, "{}"]]) };
  expect((await theLog.coordinate(request)).owners.get(1)).toBe("c");
});

test("a cluster confirms no replicas and no disk: it gives memory, says so, and nothing else", async () => {
  const theLog = new Log(await openLink(log.url), PARTITIONS);
  await theLog.prepare();
  expect(theLog.defaultGrade).toBe("memory");
  expect((["memory", "replicated", "disk"] as const).map((grade) => theLog.gives(grade))).toEqual(["yes", "no", "no"]);
});

test("a frozen master is given up in time, nothing that was on its way to it is repeated, and the others are answered meanwhile", async () => {
  const link = await openLink(log.url);
  const frozen = await log.ownerOf("frozen");
  const free = await waitFor(async () => {
    for (let n = 0; n < 100; n += 1) if ((await log.ownerOf(`free-${n}`)) !== frozen) return `free-${n}`;
  });
  const calls = ["frozen", free].map((name) => ({ name: "INCR", args: [name] }));
  expect((await link.callTogether(calls)).replies).toEqual([1, 1]);

  const connections = link.connections;
  frozen.pause();
  try {
    const startMs = performance.now();
    const together = link.callTogether(calls);
    await waitFor(async () => Number(String(await link.call(getOf(free)))) === 2);
    const { replies } = await together;
    expect(replies).toEqual([expect.any(Error), 2]);
    expect(performance.now() - startMs).toBeLessThan(15_000);
  } finally {
    frozen.resume();
  }
  // 2 when the frozen server found it in its socket: never more.
  const count = await waitFor(async () => Number(String(await link.call(getOf("frozen")))));
  expect(count).toBeLessThanOrEqual(2);
  // Whoever must look again after a reconnection sees that there was one.
  expect(link.connections).toBeGreaterThan(connections);
});

const getOf = (key: string) => ({ name: "GET", args: [key] });

test("a slot that moves to a master without our functions is followed: what is appended and applied meanwhile is there once, in order", async () => {
  const partition = 7;
  const key = "mr:{p07}:log";
  const [theLog, theStore] = [
    new Log(await openLink(log.url), PARTITIONS),
    new Store(await openLink(store.url), PARTITIONS),
  ];
  await Promise.all([theLog.prepare(), theStore.prepare()]);
  let sequence = 0;
  let moving = true;
  const append = async () => {
    sequence += 1;
    return theLog.append(partition, { producer: "mover", firstSequence: sequence, commands: [command] });
  };
  const first = await append();
  const moves = (async () => {
    for (let round = 0; round < 6; round += 1) {
      for (const cluster of [log, store]) {
        const target = cluster.masters[round % 3];
        if (target === undefined) throw new Error("three masters");
        const admin = await openLink(target.url);
        if ((await cluster.ownerOf(key)) !== target) await admin.call({ name: "FUNCTION", args: ["FLUSH"] });
        await cluster.moveSlotOf(key, target);
      }
    }
    moving = false;
  })();
  const ordinals = [first.firstOrdinal];
  while (moving) ordinals.push((await append()).firstOrdinal);
  await moves;
  expect(ordinals).toEqual(ordinals.map((_, index) => first.firstOrdinal + index));

  let watermark = await theStore.watermark(partition);
  const position = await theLog.position(partition);
  while (watermark.ordinal < position.ordinal) {
    const entries = (await theLog.range(partition, watermark.id, 100)).map(([id, fields]) => decodeEntry(id, fields));
    const reply = await theStore.apply(partition, watermark, entries as ApplicableEntry[]);
    if (reply.kind !== "applied") throw new Error(`apply said ${reply.kind}`);
    watermark = reply.watermark;
  }
  expect(watermark.ordinal).toBe(position.ordinal);
});
