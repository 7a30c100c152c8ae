import { describe, expect, test } from "vitest";
import { bodyOf, encodeHeader } from "../core/codec.ts";
import type { KeyOperation, Operation } from "../core/command.ts";
import { OperatingError } from "../core/errors.ts";
import type { RawEntry } from "../core/log.ts";
import { transactionOf } from "../core/transaction.ts";
import { decide, stateOfFault } from "./decide.ts";
import { ReadSize } from "./read-size.ts";
import { trimPoint } from "./trimmer.ts";

function entry(ordinal: number, bytes = 1, version = "v1"): RawEntry {
  const value = Buffer.alloc(bytes);
  const operation = { op: "put", contentType: "text/plain", value } as const;
  const header = encodeHeader({ namespace: "n", key: "k", operation, awaited: false, acceptedMs: 1 }, "p", ordinal);
  return [`10-${ordinal}`, [Buffer.from(version), Buffer.from(`${ordinal} ${header}`), Buffer.from("b"), value]];
}
const foreign = (id: string): RawEntry => [id, [Buffer.from("foo"), Buffer.from("bar")]];
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));
const at = (ordinal: number) => ({ id: `10-${ordinal}`, ordinal });

describe("what was read", () => {
  test("is applied from the watermark on, without what is behind it", () => {
    expect(decide(range(1, 5), at(3))).toMatchObject({ kind: "apply", complete: true, batches: [{ after: at(5) }] });
    expect(decide(range(1, 5), at(5))).toEqual({ kind: "apply", complete: true, batches: [] });
  });

  test("is not applied when it does not follow the watermark", () => {
    expect(decide(range(5, 9), at(3))).toEqual({ kind: "rewind", id: "10-5", ordinal: 5 });
  });

  test("is applied up to where the chain breaks, and not beyond", () => {
    expect(decide([...range(4, 5), ...range(7, 9)], at(3))).toMatchObject({
      kind: "apply",
      complete: false,
      batches: [{ after: at(5) }],
    });
  });

  test("is applied up to the first command that was accepted later than anything may be, and nothing behind it", () => {
    const late = [entry(4), ["11-0", entry(5)[1]] as const, ["10-9", entry(6)[1]] as const];
    expect(decide(late, at(3), 10)).toMatchObject({ kind: "apply", complete: false, batches: [{ after: at(4) }] });
    expect(decide(late, at(3), 9)).toEqual({ kind: "stop" });
    expect(decide(late.slice(0, 2), at(3), 11)).toMatchObject({ kind: "apply", complete: true });
  });

  test("is cut into batches by count and by bytes, and one large value still goes alone", () => {
    const byCount = decide(range(1, 1100), at(0));
    expect(byCount.kind === "apply" && byCount.batches.map(({ entries }) => entries.length)).toEqual([500, 500, 100]);
    const byBytes = decide([entry(1, 10), entry(2, 1_048_576), entry(3, 10), entry(4, 10)], at(0));
    expect(byBytes.kind === "apply" && byBytes.batches.map(({ entries }) => entries.length)).toEqual([1, 1, 2]);
  });

  test("is cut by the parts of transactions, too: by their number, their bytes, and their patches", () => {
    const cut = (operation: Operation): number[] => {
      const command = { namespace: "n", key: "k", operation, awaited: false, acceptedMs: 1 };
      const decision = decide(
        Array.from({ length: 20 }, (_, index): RawEntry => {
          const header = `${index + 1} ${encodeHeader(command, "p", index + 1)}`;
          return [`10-${index + 1}`, [...["v1", header, "b"].map((field) => Buffer.from(field)), bodyOf(command)]];
        }),
        at(0),
      );
      return decision.kind === "apply" ? decision.batches.map(({ entries }) => entries.length) : [];
    };
    const steps = (count: number, operation: KeyOperation) =>
      Array.from({ length: count }, (_, index) => ({ key: `k${index}`, operation }));
    const looks = Array.from({ length: 14 }, (_, index) => ({ key: `l${index}`, kind: "match" as const, id: "*" }));
    expect(cut(transactionOf(looks, steps(36, { op: "delete" })))).toEqual([10, 10]);
    expect(cut(transactionOf([], steps(8, { op: "patch", value: Buffer.from("1") })))).toEqual(Array(20).fill(1));
    const put = { op: "put", contentType: "x/y", value: Buffer.alloc(100_000) } as const;
    expect(cut(transactionOf([], steps(2, put)))).toEqual([5, 5, 5, 5]);
  });

  test("with a foreign entry in it: that one is parked, the chain goes on around it", () => {
    const decision = decide([entry(4), foreign("11-0"), ["12-5", entry(5)[1]]], at(3));
    expect(decision).toMatchObject({ kind: "apply", batches: [{ after: { id: "12-5", ordinal: 5 } }] });
    expect(decision.kind === "apply" && decision.batches[0]?.entries.map(({ kind }) => kind)).toEqual([
      "command",
      "malformed",
      "command",
    ]);
  });

  test("of a newer version holds the partition, after what stands before it", () => {
    expect(decide([entry(4, 1, "v2")], at(3))).toEqual({ kind: "hold", version: "v2" });
    expect(decide([entry(4), entry(5, 1, "v2")], at(3))).toMatchObject({
      kind: "apply",
      complete: false,
      batches: [{ after: at(4) }],
    });
  });
});

test("every fault holds the partition, none is taken for success", () => {
  expect(stateOfFault(new OperatingError("not-confirmed", "0 of 1 replicas"))).toEqual({
    state: "unconfirmed",
    reason: "0 of 1 replicas",
  });
  expect(stateOfFault(new Error("LOADING"))).toEqual({ state: "held", reason: "LOADING" });
});

test("reads shrink to what fits when values are large, and grow again when they are small", () => {
  const size = new ReadSize();
  for (let i = 0; i < 10; i++) size.observe(Array.from({ length: size.count }, (_, n) => entry(n + 1)));
  expect(size.count).toBe(500);
  size.observe(Array.from({ length: 500 }, (_, n) => entry(n + 1, 100_000)));
  expect(size.count).toBeLessThanOrEqual(21);
  for (let i = 0; i < 10; i++) size.observe(Array.from({ length: size.count }, (_, n) => entry(n + 1)));
  expect(size.count).toBe(500);
});

describe("the trim point", () => {
  const options = { retentionMs: 1000, maxEntries: 100 };
  const sample = (ordinal: number, ms: number) => ({ id: `${ms}-0`, ordinal });

  test("is never ahead of the watermark, however old everything is", () => {
    expect(trimPoint([sample(5, 5000)], "999999-0", options)).toBe("5000-0");
    expect(trimPoint([{ id: "0-0", ordinal: 0 }], "999999-0", options)).toBeNull();
  });

  test("leaves the retention window, by the log's own time", () => {
    expect(trimPoint([sample(50, 9000)], "9500-0", options)).toBe("8499-0");
  });

  test("leaves no more than the bound of applied entries, as far as watermarks tell", () => {
    const samples = [sample(10, 9000), sample(150, 9100), sample(240, 9200), sample(251, 9300)];
    expect(trimPoint(samples, "9300-0", options)).toBe("9100-0");
  });
});
