import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { at, entries, increment, put } from "../../tests/harness/log-entries.ts";
import { startRedis } from "../../tests/harness/redis-server.ts";
import type { Command } from "../command.ts";
import { partitionKeys } from "../keys.ts";
import type { Link } from "../redis/link.ts";
import { Store } from "../store.ts";
import { WATERMARK_ZERO } from "./apply.ts";

const PARTITION = 0;
const keys = partitionKeys(1)[PARTITION];
if (!keys) throw new Error("no such partition");

let link: Link;
let store: Store;

beforeAll(async () => {
  link = await openLink((await startRedis({ kind: "store" })).url);
});

beforeEach(async () => {
  await link.call({ name: "FLUSHALL", args: [] });
  store = new Store(link, 1);
});

const remove = (key: string): Partial<Command> => ({ key, operation: { op: "delete" } });
const apply = (commands: readonly Partial<Command>[], first = 1) =>
  store.apply(PARTITION, first === 1 ? WATERMARK_ZERO : at(first - 1), entries(commands, first));

describe("outcomes", () => {
  test("of what had no effect, or a result, come with the watermark of the same moment", async () => {
    const condition = { kind: "none-match", id: "*" } as const;
    await apply([put("k", "1"), { ...put("k", "2"), condition }, remove("absent"), increment("n", "7"), remove("k")]);
    const page = await store.outcomes(PARTITION, "0-0", 100);
    expect(page).toMatchObject({ watermark: at(5), through: "1000-5", losses: 0 });
    expect(Object.fromEntries(page.outcomes)).toEqual({
      "1000-2": { outcome: "rejected", reason: "condition-not-met" },
      "1000-3": { outcome: "applied", effect: "absent" },
      "1000-4": { outcome: "applied", effect: "counted", value: "7" },
    });
    const later = await store.outcomes(PARTITION, "1000-3", 100);
    expect([...later.outcomes.keys()]).toEqual(["1000-3", "1000-4"]);
  });

  test("a command that was in the log twice is told apart from the first", async () => {
    await apply([put("k", "1"), put("k", "2")]);
    const again = entries([put("k", "2")], 3).map((entry) => ({ ...entry, stamp: { producer: "p", sequence: 2 } }));
    await store.apply(PARTITION, at(2), again as ReturnType<typeof entries>);
    const { outcomes } = await store.outcomes(PARTITION, "0-0", 100);
    expect(Object.fromEntries(outcomes)).toEqual({ "1000-3": { outcome: "applied", effect: "repeated" } });
  });

  test("where there are more than were asked for, the page says how far it is complete", async () => {
    await apply(Array(10).fill(increment("n")));
    expect(await store.outcomes(PARTITION, "0-0", 4)).toMatchObject({ watermark: at(10), through: "1000-4" });
    expect(await store.outcomes(PARTITION, "1000-8", 4)).toMatchObject({ watermark: at(10), through: "1000-10" });
  });

  test("of a partition to which nothing was applied there are none", async () => {
    expect(await store.outcomes(PARTITION, "0-0", 4)).toMatchObject({ watermark: WATERMARK_ZERO, through: "0-0" });
  });

  test("how often commands were given up is told, and never less", async () => {
    await store.advance(PARTITION, WATERMARK_ZERO, at(5));
    await store.advance(PARTITION, at(5), at(9));
    expect((await store.outcomes(PARTITION, "0-0", 4)).losses).toBe(2);
    await link.call({ name: "XTRIM", args: [keys.losses, "MAXLEN", 1] });
    expect((await store.outcomes(PARTITION, "0-0", 4)).losses).toBe(2);
  });
});

describe("values of revisions", () => {
  const revision = (key: string, ordinal: number) => ({ namespace: "n", key, id: `1000-${ordinal}` });
  const values = async (wanted: readonly ReturnType<typeof revision>[], bytes = 1_000_000) =>
    (await store.revisions(PARTITION, wanted, bytes)).map((stored) => stored && Buffer.from(stored.value).toString());

  test("come only while the key is still at the revision", async () => {
    await apply([put("a", "1"), put("b", "2"), put("a", "3"), put("c", "4"), remove("c")]);
    const wanted = [revision("a", 1), revision("b", 2), revision("a", 3), revision("c", 4), revision("never", 9)];
    expect(await values(wanted)).toEqual([null, "2", "3", null, null]);
    // An id that begins like another is another.
    await apply([...Array(9).fill(remove("x")), put("d", "15")], 6);
    expect(await values([revision("d", 1), revision("d", 15)])).toEqual([null, "15"]);
  });

  test("come up to so many bytes and one more; at least one comes", async () => {
    await apply([put("a", "x".repeat(100)), put("b", "x".repeat(100)), put("c", "")]);
    const wanted = [revision("a", 1), revision("b", 2), revision("c", 3)];
    expect(await values(wanted, 1)).toHaveLength(1);
    expect(await values(wanted, 150)).toHaveLength(2);
    expect(await values([], 1)).toEqual([]);
  });

  test("something in the store that is not a value of ours is none", async () => {
    await link.call({ name: "LPUSH", args: [keys.value("n", "list"), "x"] });
    await link.call({ name: "SET", args: [keys.value("n", "rubbish"), "x"] });
    expect(await values([revision("list", 1), revision("rubbish", 1)])).toEqual([null, null]);
  });
});
