import { describe, expect, test } from "vitest";
import { checkRegister, type RegisterOperation, type RegisterResult } from "./linearizability.ts";
import { randomFrom } from "./random.ts";

type Action = RegisterOperation["action"];
type More = Partial<Omit<RegisterOperation, "id" | "action" | "startMs" | "endMs">>;

let nextId = 0;
const NEVER = Number.POSITIVE_INFINITY;

function operation(startMs: number, endMs: number, action: Action, more: More = {}): RegisterOperation {
  nextId += 1;
  return { id: nextId, startMs, endMs, action, ...more };
}
const APPLIED: RegisterResult = { kind: "applied" };
const put = (startMs: number, endMs: number, value: string, revision: string, more: More = {}) =>
  operation(startMs, endMs, { kind: "put", value }, { revision, result: APPLIED, ...more });
const lostPut = (startMs: number, value: string) => operation(startMs, NEVER, { kind: "put", value });
const remove = (startMs: number, endMs: number) => operation(startMs, endMs, { kind: "delete" }, { result: APPLIED });
const add = (startMs: number, endMs: number, by: string, total: string, revision: string) =>
  operation(startMs, endMs, { kind: "increment", by }, { revision, result: { kind: "applied", total } });
const read = (startMs: number, endMs: number, value: string, revision: string) =>
  operation(startMs, endMs, { kind: "get" }, { result: { kind: "read", register: { value, revision } } });
const readNothing = (startMs: number, endMs: number) =>
  operation(startMs, endMs, { kind: "get" }, { result: { kind: "read", register: null } });
const matching = (revision: string): More => ({ condition: { kind: "match", revision } });
const CREATE: More = { condition: { kind: "none-match", revision: "*" } };
const REFUSED: More = { result: { kind: "rejected", reason: "condition" } };

describe("histories that are linearizable", () => {
  test.each<[string, RegisterOperation[]]>([
    ["nothing at all", []],
    ["a read of what was written before", [put(0, 1, "a", "1-0"), read(2, 3, "a", "1-0")]],
    ["a read beside a write sees it or not", [put(0, 9, "a", "1-0"), readNothing(1, 2), read(3, 4, "a", "1-0")]],
    [
      "two writes side by side, in either order",
      [put(0, 9, "a", "1-0"), put(0, 9, "b", "2-0"), read(10, 11, "b", "2-0")],
    ],
    [
      "a write without an answer takes effect late",
      [lostPut(0, "late"), put(1, 2, "a", "1-0"), read(3, 4, "a", "1-0"), read(5, 6, "late", "2-0")],
    ],
    [
      "a write without an answer never takes effect",
      [lostPut(0, "never"), put(1, 2, "a", "1-0"), read(3, 4, "a", "1-0")],
    ],
    [
      "a revision nobody was told is learnt by a read",
      [lostPut(0, "a"), read(1, 2, "a", "5-0"), put(3, 4, "b", "6-0", matching("5-0")), read(5, 6, "b", "6-0")],
    ],
    [
      "of two that compare and set the same revision one is refused",
      [
        put(0, 1, "a", "1-0"),
        put(2, 9, "b", "2-0", matching("1-0")),
        put(2, 9, "c", "3-0", { ...matching("1-0"), ...REFUSED }),
        read(10, 11, "b", "2-0"),
      ],
    ],
    [
      "increments in any order that fits their totals",
      [add(0, 9, "5", "8", "2-0"), add(0, 9, "3", "3", "1-0"), read(10, 11, "8", "2-0")],
    ],
    [
      "created only where nothing was",
      [
        put(0, 1, "a", "1-0", CREATE),
        remove(2, 3),
        put(4, 5, "b", "3-0", { ...CREATE, result: { kind: "applied", created: true } }),
      ],
    ],
    [
      "an increment of what is no number is refused",
      [
        put(0, 1, "a", "1-0"),
        operation(2, 3, { kind: "increment", by: "1" }, { result: { kind: "rejected", reason: "type" } }),
      ],
    ],
  ])("%s", (_, history) => {
    expect(checkRegister(history)).toBe("linearizable");
  });
});

describe("histories that must fail", () => {
  test.each<[string, RegisterOperation[]]>([
    ["a read of what was never written", [read(0, 1, "a", "1-0")]],
    ["a stale read", [put(0, 1, "a", "1-0"), put(2, 3, "b", "2-0"), read(4, 5, "a", "1-0")]],
    ["a lost write", [put(0, 1, "a", "1-0"), readNothing(2, 3)]],
    ["a lost increment", [add(0, 1, "5", "5", "1-0"), add(2, 3, "3", "3", "2-0")]],
    ["an increment applied twice", [add(0, 1, "5", "5", "1-0"), read(2, 3, "10", "1-0")]],
    ["a doubled increment seen by the next one", [add(0, 1, "5", "5", "1-0"), add(2, 3, "3", "13", "2-0")]],
    [
      "two reads that disagree on the order of two writes",
      [
        put(0, 20, "a", "1-0"),
        put(0, 20, "b", "2-0"),
        read(1, 2, "a", "1-0"),
        read(3, 4, "b", "2-0"),
        read(5, 6, "a", "1-0"),
      ],
    ],
    [
      "a value that comes back after it was seen replaced by one without an answer",
      [put(0, 1, "a", "1-0"), lostPut(2, "b"), read(3, 4, "b", "2-0"), read(5, 6, "a", "1-0")],
    ],
    ["a deleted value that comes back", [put(0, 1, "a", "1-0"), remove(2, 3), read(4, 5, "a", "1-0")]],
    [
      "both of two that compare and set the same revision",
      [put(0, 1, "a", "1-0"), put(2, 9, "b", "2-0", matching("1-0")), put(2, 9, "c", "3-0", matching("1-0"))],
    ],
    [
      "a compare-and-set refused although the revision stood",
      [put(0, 1, "a", "1-0"), put(2, 3, "b", "2-0", { ...matching("1-0"), ...REFUSED })],
    ],
    [
      "created where something was",
      [put(0, 1, "a", "1-0"), put(2, 3, "b", "2-0", { result: { kind: "applied", created: true } })],
    ],
    ["a read before the write began", [read(0, 1, "a", "1-0"), put(2, 3, "a", "1-0")]],
    ["the right value under a wrong revision", [put(0, 1, "a", "1-0"), read(2, 3, "a", "9-0")]],
  ])("%s", (_, history) => {
    expect(checkRegister(history)).toBe("violation");
  });
});

/** A register that works, with clients side by side: each operation takes effect at some moment between its ends. */
function recorded(seed: number, count: number, lossy = 0.1): RegisterOperation[] {
  const random = randomFrom(seed);
  let now: { revision: string; value: string } | null = null;
  const history: RegisterOperation[] = [];
  for (let at = 10; at < 10 + count; at += 1) {
    const startMs = at - random.integer(0, 8);
    const endMs = at + random.next() * 8;
    const before: typeof now = now;
    const lost = random.chance(lossy);
    if (random.chance(0.4)) {
      history.push(operation(startMs, endMs, { kind: "get" }, { result: { kind: "read", register: before } }));
      continue;
    }
    const revision = `${at}-0`;
    if (random.chance(0.2)) {
      now = null;
      history.push(lost ? operation(startMs, NEVER, { kind: "delete" }) : remove(startMs, endMs));
      continue;
    }
    now = { revision, value: `value ${at}` };
    const action: Action = { kind: "put", value: now.value };
    const told: More = { revision, result: { kind: "applied", created: before === null } };
    history.push(lost ? operation(startMs, NEVER, action) : operation(startMs, endMs, action, told));
  }
  return random.shuffled(history);
}

describe("long histories", () => {
  test.each(Array.from({ length: 30 }, (_, seed) => [seed]))("of a register that works pass (seed %i)", (seed) => {
    expect(checkRegister(recorded(seed, 150))).toBe("linearizable");
  });

  test.each(Array.from({ length: 20 }, (_, seed) => [seed]))("with one stale read in them fail (seed %i)", (seed) => {
    const history = recorded(seed, 40, 0.03);
    const first = history.find(({ action, endMs }) => action.kind === "put" && endMs !== NEVER);
    if (first?.action.kind !== "put") throw new Error("no put");
    const last = Math.max(...history.flatMap(({ endMs }) => (endMs === NEVER ? [] : [endMs])));
    const stale = [
      put(last + 1, last + 2, "newest", "999-0"),
      read(last + 3, last + 4, first.action.value, first.revision ?? ""),
    ];
    expect(checkRegister([...history, ...stale])).toBe("violation");
  });

  test("that cannot be searched through in time are undecided, and not called right", () => {
    const writes = Array.from({ length: 40 }, (_, n) =>
      operation(0, 100, { kind: "put", value: `${n}` }, { result: APPLIED }),
    );
    expect(checkRegister([...writes, readNothing(200, 201)], 5_000)).toBe("undecided");
  });
});
