import { describe, expect, test } from "vitest";
import { check } from "./check.ts";
import { BANKS, COUNTERS, type Evidence, type PartitionImage } from "./evidence.ts";
import type { Operation, Told } from "./history.ts";
import { entryOf as entry, PUT } from "./log-story.ts";
import type { RawEntry } from "./model.ts";
import { KINDS, type Kind } from "./violations.ts";

/** A run in which all is well; each test breaks one thing of it. */
interface Story {
  operations: Operation[];
  log: RawEntry[];
  image: Writable<PartitionImage>;
  statuses: Map<number, string>;
}
type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

const answer = (status: number, revision?: string, more: Partial<Extract<Told, { kind: "answer" }>> = {}): Told => ({
  kind: "answer",
  status,
  body: "",
  grade: "replicated",
  ...(revision !== undefined && { revision }),
  ...more,
});
const operation = (
  id: number,
  kind: Operation["kind"],
  key: string,
  told: Told,
  more: Partial<Operation> = {},
): Operation => ({
  id,
  client: 1,
  kind,
  namespace: "n",
  key,
  partition: 0,
  waits: true,
  strong: true,
  startMs: id * 10,
  endMs: id * 10 + 5,
  answer: told,
  ...more,
});

function story(): Story {
  const log = [
    entry("1-0", 1, 1, { ...PUT, k: "a" }, "one"),
    entry("2-0", 2, 2, { ...PUT, k: "a", if: "=1-0" }, "two"),
    entry("3-0", 3, 3, { ...PUT, k: "a", if: "=1-0" }, "three"),
    entry("4-0", 4, 5, { o: "increment", n: COUNTERS, k: "c", by: "5" }),
    entry("5-0", 5, 6, { o: "increment", n: COUNTERS, k: "c", by: "6" }),
    entry("6-0", 6, 7, { o: "delete", k: "a" }),
    entry("7-0", 7, 9, { ...PUT, k: "b" }, "last"),
  ];
  return {
    log,
    operations: [
      operation(1, "put", "a", answer(201, "1-0"), { value: "one" }),
      operation(2, "put", "a", answer(204, "2-0"), { value: "two", condition: { kind: "match", revision: "1-0" } }),
      operation(3, "put", "a", answer(412, "3-0"), { value: "three", condition: { kind: "match", revision: "1-0" } }),
      operation(4, "get", "a", answer(200, "2-0", { body: "two" }), { least: "2-0" }),
      operation(5, "increment", "c", answer(200, "4-0", { body: "5" }), { namespace: COUNTERS, by: "5" }),
      operation(6, "increment", "c", { kind: "broken", reason: "reset" }, { namespace: COUNTERS, by: "6" }),
      operation(7, "delete", "a", answer(204, "6-0")),
      operation(8, "get", "a", answer(404), { least: "6-0" }),
      operation(9, "put", "b", answer(202, "7-0"), { value: "last" }),
      operation(10, "put", "b", answer(503, undefined, { problem: "log-unavailable" }), { value: "refused" }),
    ],
    image: {
      watermark: { id: "7-0", ordinal: 7 },
      values: new Map([
        [`${COUNTERS}/c`, Buffer.from("5-0\ttext/plain\n11")],
        ["n/b", Buffer.from("7-0\ttext/plain\nlast")],
      ]),
      indexes: new Map([
        [COUNTERS, ["c"]],
        ["n", ["b"]],
      ]),
      expiries: new Map(),
      outcomes: new Map([
        ["3-0", "rejected condition-not-met"],
        ["4-0", "applied counted 5"],
        ["5-0", "applied counted 11"],
      ]),
      dead: [],
    },
    statuses: new Map([
      [1, "applied"],
      [3, "rejected"],
    ]),
  };
}

function judge({ operations, log, image, statuses }: Story): Kind[] {
  const evidence: Evidence = {
    operations,
    roundStartMs: 0,
    log: [log],
    stores: [{ node: "master", isMaster: true, partitions: [image] }],
    statuses,
    foreign: new Set(),
    heldGrades: new Set(["replicated"]),
  };
  const { findings } = check(evidence);
  return KINDS.filter((kind) => findings.count(kind) > 0);
}

const at = (operations: readonly Operation[], id: number): Operation => {
  const found = operations.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no operation ${id}`);
  return found;
};

const tell = (operations: readonly Operation[], id: number, told: Told): void => {
  at(operations, id).answer = told;
};

test("a run in which all is well is not accused of anything", () => {
  expect(judge(story())).toEqual([]);
});

describe("found out is", () => {
  test.each<[string, Kind, (story: Story) => void]>([
    ["an acknowledged write that the log does not hold", "lost", ({ log }) => void log.pop()],
    [
      "a write that took effect twice",
      "doubled",
      ({ log }) => void log.push(entry("8-0", 8, 5, { o: "increment", n: COUNTERS, k: "c", by: "5" })),
    ],
    [
      "an acknowledged write that stands under another revision",
      "reordered",
      ({ operations }) => tell(operations, 9, answer(202, "6-5")),
    ],
    ["a break in the log's count", "reordered", ({ log }) => void log.splice(4, 1)],
    [
      "a write that began after the answer to another and comes before it",
      "reordered",
      ({ operations }) => {
        Object.assign(at(operations, 9), { startMs: 1, endMs: 2 });
        Object.assign(at(operations, 1), { startMs: 500, endMs: 501 });
      },
    ],
    [
      "a refused write that is in the log",
      "phantom",
      ({ log }) => void log.push(entry("8-0", 8, 10, { ...PUT, k: "b" }, "refused")),
    ],
    [
      "a result that the log does not give",
      "wrong-result",
      ({ operations }) => tell(operations, 3, answer(204, "3-0")),
    ],
    ["a wrong total", "wrong-result", ({ operations }) => tell(operations, 5, answer(200, "4-0", { body: "7" }))],
    ["a wrong status", "wrong-result", ({ statuses }) => void statuses.set(1, "queued")],
    [
      "a read of what no log holds",
      "phantom",
      ({ operations }) => tell(operations, 4, answer(200, "2-9", { body: "two" })),
    ],
    [
      "a read older than its reader knew",
      "wrong-read",
      ({ operations }) => tell(operations, 4, answer(200, "1-0", { body: "one" })),
    ],
    ["an absence that its reader knew to be over", "wrong-read", ({ operations }) => tell(operations, 4, answer(404))],
    [
      "a stale read that asked for nothing, of a key that must be linearizable",
      "not-linearizable",
      ({ operations }) => {
        const { least: _, ...stale } = at(operations, 4);
        operations[3] = { ...stale, answer: answer(200, "1-0", { body: "one" }) };
      },
    ],
    [
      "a counter that is not its sum",
      "miscounted",
      ({ image }) =>
        void Object.assign(image, {
          values: new Map([...image.values, [`${COUNTERS}/c`, Buffer.from("5-0\ttext/plain\n6")]]),
        }),
    ],
    [
      "a value that differs in one byte",
      "diverged",
      ({ image }) =>
        void Object.assign(image, {
          values: new Map([...image.values, ["n/b", Buffer.from("7-0\ttext/plain\nlasT")]]),
        }),
    ],
    [
      "a value under another revision",
      "diverged",
      ({ image }) =>
        void Object.assign(image, {
          values: new Map([...image.values, ["n/b", Buffer.from("6-0\ttext/plain\nlast")]]),
        }),
    ],
    [
      "a key that should not be there",
      "diverged",
      ({ image }) =>
        void Object.assign(image, { values: new Map([...image.values, ["n/x", Buffer.from("1-0\ttext/plain\n")]]) }),
    ],
    [
      "an index without a key",
      "diverged",
      ({ image }) => void Object.assign(image, { indexes: new Map([[COUNTERS, ["c"]]]) }),
    ],
    [
      "accounts of a bank that hold more together than nothing",
      "miscounted",
      ({ image }) =>
        void Object.assign(image, {
          values: new Map([...image.values, [`${BANKS}/{b}/account-0`, Buffer.from("7-0\ttext/plain\n5")]]),
        }),
    ],
    [
      "an expiry that no key has",
      "diverged",
      ({ image }) => void Object.assign(image, { expiries: new Map([["n/b", "1000"]]) }),
    ],
    ["an outcome that is missing", "diverged", ({ image }) => void Object.assign(image, { outcomes: new Map() })],
    ["a dead letter that nothing explains", "diverged", ({ image }) => void Object.assign(image, { dead: ["2-0"] })],
    [
      "a dead letter that is missing",
      "diverged",
      ({ log, image }) => {
        log.push({ id: "8-0", fields: [Buffer.from("foo"), Buffer.from("bar")] });
        image.watermark = { id: "8-0", ordinal: 7 };
      },
    ],
    [
      "a store that lacks the log's end",
      "not-drained",
      ({ log }) => void log.push(entry("8-0", 8, 99, { ...PUT, k: "z" })),
    ],
    [
      "a store that is ahead of its log",
      "phantom",
      ({ image }) => void Object.assign(image, { watermark: { id: "9-0", ordinal: 9 } }),
    ],
    ["a client without an answer", "stuck", ({ operations }) => tell(operations, 6, { kind: "stuck" })],
    ["an answer that makes no sense", "unexpected", ({ operations }) => tell(operations, 9, answer(404))],
  ])("%s", (_, kind, spoil) => {
    const spoilt = story();
    spoil(spoilt);
    expect(judge(spoilt)).toContain(kind);
  });
});
