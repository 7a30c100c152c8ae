import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { startRedis } from "../../tests/harness/redis-server.ts";
import { decodeEntry } from "../codec.ts";
import { compareIds, idAfter } from "../entry-id.ts";
import { partitionKeys } from "../keys.ts";
import { Log } from "../log.ts";
import type { Link } from "../redis/link.ts";
import type { Group } from "./append.ts";

const PARTITION = 1;
const keys = partitionKeys(2)[PARTITION];
if (!keys) throw new Error("no such partition");
/** Beyond anything that the log's clock would give. */
const AHEAD = `${Date.now() + 3_600_000}-5`;
const WATERMARK = { id: AHEAD, ordinal: 10 };

let link: Link;
let log: Log;

beforeAll(async () => {
  link = await openLink((await startRedis()).url);
});

beforeEach(async () => {
  await link.call({ name: "FLUSHALL", args: [] });
  log = new Log(link, 2);
});

const group = (producer: string, firstSequence: number, count: number): Group => ({
  producer,
  firstSequence,
  commands: Array.from({ length: count }, (_, i) => ({
    namespace: "n",
    key: `${producer}-${firstSequence + i}`,
    operation: { op: "put", contentType: "text/plain", value: Buffer.from([firstSequence + i]) },
    awaited: false,
    acceptedMs: 1,
  })),
});

async function entries() {
  const raw = await log.range(PARTITION, "0-0", 1000);
  return raw.map(([id, fields]) => {
    const entry = decodeEntry(id, fields);
    if (entry.kind !== "command") return { id, key: "", ordinal: 0, stamp: null };
    return { id, key: entry.command.key, ordinal: entry.ordinal, stamp: entry.stamp };
  });
}

async function fence() {
  const put = await log.fence(PARTITION, WATERMARK, (await log.position(PARTITION)).era);
  if (put === null) throw new Error("no fence");
  return put;
}

describe("a fence", () => {
  test("puts ids, ordinals and the floor of a log at the watermark, an empty one too", async () => {
    const put = await fence();
    expect(put.boundary).toBe(AHEAD);
    expect(await log.position(PARTITION)).toMatchObject({
      ordinal: 10,
      lastId: AHEAD,
      floor: AHEAD,
      held: 0,
      fenced: true,
    });
    expect(await log.unfence(PARTITION, put)).toMatchObject({
      lost: 10,
      reappended: 0,
      dropped: 0,
      watermark: WATERMARK,
    });
    const appended = await log.append(PARTITION, group("p", 1, 1));
    expect(appended.firstOrdinal).toBe(11);
    expect(compareIds(appended.firstId, AHEAD)).toBeGreaterThan(0);
    expect(await log.position(PARTITION)).toMatchObject({ fenced: false, reconciled: { lost: 10 } });
  });

  test("keeps appends and trimming out for as long as it stands, and a refused group is not in the log", async () => {
    const { firstId } = await log.append(PARTITION, group("p", 1, 2));
    const put = await fence();
    await expect(log.append(PARTITION, group("p", 3, 1))).rejects.toThrow("MRFENCED");
    expect(await log.trim(PARTITION, idAfter(firstId, 1))).toBe(0);
    expect(await entries()).toHaveLength(2);
    await log.unfence(PARTITION, put);
    await expect(log.append(PARTITION, group("p", 3, 1))).resolves.toMatchObject({ firstOrdinal: 11, repeated: false });
  });

  test("is taken over by whoever comes next, and is not put up again by somebody who was overtaken", async () => {
    const { era } = await log.position(PARTITION);
    const put = await fence();
    expect(await log.fence(PARTITION, { id: "5-0", ordinal: 5 }, era)).toEqual(put);
    await log.unfence(PARTITION, put);
    expect(await log.fence(PARTITION, WATERMARK, era)).toBeNull();
    expect(await log.move(PARTITION, put, [], [])).toBe(false);
    expect(await log.unfence(PARTITION, put)).toBeNull();
    expect((await log.position(PARTITION)).fenced).toBe(false);
  });

  test("that the store has outgrown is put up anew, beyond what was moved", async () => {
    const { firstId } = await log.append(PARTITION, group("p", 1, 1));
    const first = await fence();
    await log.move(PARTITION, first, [{ id: firstId, stamp: { producer: "p", sequence: 1 } }], []);
    const second = await log.fence(PARTITION, { id: idAfter(AHEAD, 9), ordinal: 12 }, 0);
    expect(second?.boundary).toBe(idAfter(AHEAD, 9));
    expect(await log.move(PARTITION, first, [], [])).toBe(false);
    expect((await log.position(PARTITION)).ordinal).toBe(12);
  });

  test("begins above what was trimmed: nothing comes back from below the floor", async () => {
    const { firstId } = await log.append(PARTITION, group("p", 1, 2));
    await log.trim(PARTITION, firstId);
    expect(await entries()).toHaveLength(1);
    expect((await fence()).start).toBe(firstId);
    // Whoever takes the fence over, or puts it up anew, begins there too.
    expect((await log.fence(PARTITION, WATERMARK, 0))?.start).toBe(firstId);
    expect((await log.fence(PARTITION, { id: idAfter(AHEAD, 1), ordinal: 11 }, 0))?.start).toBe(firstId);
  });
});

describe("what is moved", () => {
  test("is at the log's end in the order given, under dense ordinals and ids, with the same header and body", async () => {
    const { firstId: a } = await log.append(PARTITION, group("a", 1, 2));
    await link.call({ name: "XADD", args: [keys.log, idAfter(a, 2), "foreign", "x"] });
    const { firstId: b } = await log.append(PARTITION, group("b", 1, 1));
    const before = await log.range(PARTITION, "0-0", 10);
    const put = await fence();
    const moves = [
      { id: a, stamp: { producer: "a", sequence: 1 } },
      { id: idAfter(a, 2), stamp: null },
      { id: b, stamp: { producer: "b", sequence: 1 } },
    ];
    expect(await log.move(PARTITION, put, moves, [idAfter(a, 1)])).toBe(true);
    const after = await entries();
    expect(after.map(({ id, key, ordinal }) => [id, key, ordinal])).toEqual([
      [idAfter(AHEAD, 1), "a-1", 11],
      [idAfter(AHEAD, 2), "", 0],
      [idAfter(AHEAD, 3), "b-1", 12],
    ]);
    const raw = await log.range(PARTITION, AHEAD, 10);
    const headerAndBody = (fields: readonly Buffer[] = []) => [String(fields[1]).replace(/^\d+ /, ""), fields[3]];
    expect(headerAndBody(raw[0]?.[1])).toEqual(headerAndBody(before[0]?.[1]));
    expect(await log.unfence(PARTITION, put)).toMatchObject({ lost: 9, reappended: 2, dropped: 1 });
  });

  test("twice, because the reply was lost or two do it, is there once", async () => {
    const { firstId } = await log.append(PARTITION, group("a", 1, 2));
    const put = await fence();
    const moves = [0, 1].map((n) => ({ id: idAfter(firstId, n), stamp: { producer: "a", sequence: 1 + n } }));
    await log.move(PARTITION, put, moves.slice(0, 1), []);
    await log.move(PARTITION, put, moves, []);
    await log.move(PARTITION, put, moves, []);
    expect((await entries()).map(({ key, ordinal }) => [key, ordinal])).toEqual([
      ["a-1", 11],
      ["a-2", 12],
    ]);
    expect(await log.unfence(PARTITION, put)).toMatchObject({ reappended: 2, lost: 10 });
  });

  test("is found by its producer where it is now, should it send its last group again", async () => {
    const { firstId } = await log.append(PARTITION, group("a", 1, 3));
    const put = await fence();
    const moves = [0, 1, 2].map((n) => ({ id: idAfter(firstId, n), stamp: { producer: "a", sequence: 1 + n } }));
    await log.move(PARTITION, put, moves, []);
    await log.unfence(PARTITION, put);
    expect(await log.append(PARTITION, group("a", 1, 3))).toEqual({
      firstId: idAfter(AHEAD, 1),
      firstOrdinal: 11,
      repeated: true,
    });
  });

  test("goes on in the next millisecond when the watermark stands at the end of one", async () => {
    const { firstId } = await log.append(PARTITION, group("a", 1, 1));
    const put = await log.fence(PARTITION, { id: "9000000000000-999999999999999", ordinal: 3 }, 0);
    if (!put) throw new Error("no fence");
    await log.move(PARTITION, put, [{ id: firstId, stamp: { producer: "a", sequence: 1 } }], []);
    expect((await entries())[0]?.id).toBe("9000000000000-1000000000000000");
  });

  test("works with a full memory, so that a full log can be brought into line", async () => {
    const { firstId } = await log.append(PARTITION, group("a", 1, 1));
    await link.call({ name: "CONFIG", args: ["SET", "maxmemory", "1"] });
    try {
      const put = await fence();
      expect(await log.move(PARTITION, put, [{ id: firstId, stamp: { producer: "a", sequence: 1 } }], [])).toBe(true);
      expect(await log.unfence(PARTITION, put)).not.toBeNull();
    } finally {
      await link.call({ name: "CONFIG", args: ["SET", "maxmemory", "0"] });
    }
  });

  test("leaves the group's lag exact: what is still to be applied", async () => {
    const { firstId } = await log.append(PARTITION, group("a", 1, 1));
    const put = await fence();
    await log.move(PARTITION, put, [{ id: firstId, stamp: { producer: "a", sequence: 1 } }], []);
    await log.unfence(PARTITION, put);
    await log.alignGroup(PARTITION, WATERMARK, "c");
    await log.deliver(PARTITION, "c", 10);
    await log.append(PARTITION, group("a", 2, 2));
    const groups = (await link.call({ name: "XINFO", args: ["GROUPS", keys.log] })) as unknown[][];
    const fields = groups[0] ?? [];
    expect(fields[fields.findIndex((field) => String(field) === "lag") + 1]).toBe(2);
  });
});
