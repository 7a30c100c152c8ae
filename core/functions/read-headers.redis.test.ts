import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { startRedis } from "../../tests/harness/redis-server.ts";
import { idAfter } from "../entry-id.ts";
import { partitionKeys } from "../keys.ts";
import { Log } from "../log.ts";
import type { Link } from "../redis/link.ts";

const PARTITION = 1;
const keys = partitionKeys(2)[PARTITION];
if (!keys) throw new Error("no such partition");
const MEBIBYTE = 1024 * 1024;

let link: Link;
let log: Log;
let first: string;

beforeAll(async () => {
  link = await openLink((await startRedis()).url);
});

beforeEach(async () => {
  await link.call({ name: "FLUSHALL", args: [] });
  log = new Log(link, 2);
});

async function append(sizes: readonly number[]): Promise<void> {
  const appended = await log.append(PARTITION, {
    producer: "p",
    firstSequence: 1,
    commands: sizes.map((size, index) => ({
      namespace: "n",
      key: `k${index}`,
      operation: { op: "put", contentType: "text/plain", value: Buffer.alloc(size, "x") },
      awaited: false,
      acceptedMs: 1,
    })),
  });
  first = appended.firstId;
}

const id = (offset: number) => idAfter(first, offset);

/** From one entry, not included, to another. */
function read(after: string, to: string, more: { watermark?: string; entries?: number; bytes?: number } = {}) {
  return log.headers(PARTITION, { after, to, watermark: to, entries: 500, bytes: MEBIBYTE, ...more });
}

describe("headers of a range", () => {
  test("come in order, each with its command and without its value", async () => {
    await append(Array(100).fill(10));
    const page = await read(id(9), id(89));
    expect(page).toMatchObject({ floor: "0-0", era: 0, fenced: false, reconciled: null, partial: false });
    expect(page.entries.map((entry) => entry.id)).toEqual(Array.from({ length: 80 }, (_, index) => id(10 + index)));
    expect(page.entries[0]).toMatchObject({
      kind: "command",
      ordinal: 11,
      command: {
        namespace: "n",
        key: "k10",
        operation: { op: "put", contentType: "text/plain", value: Buffer.alloc(0) },
      },
    });
    expect([page.before, page.atWatermark]).toMatchObject([{ ordinal: 10 }, { ordinal: 90 }]);
  });

  test("are as many as was asked for, in entries and in bytes of all that is looked at", async () => {
    await append([10, 10, MEBIBYTE, 10, 10]);
    const some = await read("0-0", id(4), { entries: 2 });
    expect([some.entries.length, some.partial]).toEqual([2, true]);
    const heavy = await read("0-0", id(4));
    expect([heavy.entries.length, heavy.partial]).toEqual([3, true]);
    const exact = await read(id(1), id(4), { entries: 3, bytes: 2 * MEBIBYTE });
    expect([exact.entries.length, exact.partial]).toEqual([3, false]);
    const none = await read(id(4), id(4));
    expect([none.entries.length, none.partial]).toEqual([0, false]);
  });

  test("tell what the log does not hold, and what it holds that is no command, or a newer one", async () => {
    await append([1, 1, 1]);
    const foreign = { name: "XADD", args: [keys.log, id(5), "hello", "world"] };
    await link.call(foreign);
    await link.call({ name: "XADD", args: [keys.log, id(6), "v2", "x", "b", "y"] });
    const page = await read("0-0", id(6), { watermark: id(4) });
    expect(page.before).toBeNull();
    expect(page.atWatermark).toBeNull();
    expect(page.entries.slice(3)).toMatchObject([
      { kind: "malformed", id: id(5), ordinal: 0 },
      { kind: "unsupported", id: id(6), version: "v2" },
    ]);
  });

  test("come with the floor, the era and the fence of the same moment", async () => {
    await append([1, 1, 1]);
    await log.trim(PARTITION, id(0));
    expect(await read(id(0), id(2))).toMatchObject({ floor: id(0), before: null });
    const fence = await log.fence(PARTITION, { id: id(9), ordinal: 9 }, 0);
    expect(await read(id(0), id(2))).toMatchObject({ floor: id(9), era: 1, fenced: true });
    if (fence) await log.unfence(PARTITION, fence);
    expect(await read(id(0), id(2))).toMatchObject({
      era: 1,
      fenced: false,
      reconciled: { watermark: { id: id(9), ordinal: 9 } },
    });
  });

  test("of an empty log there are none", async () => {
    expect(await read("0-0", "5-0")).toMatchObject({ floor: "0-0", entries: [], atWatermark: null, partial: false });
  });
});
