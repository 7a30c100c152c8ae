import { beforeEach, describe, expect, test } from "vitest";
import { LOG_ENTRY_OVERHEAD_BYTES } from "../core/limits.ts";
import { Admission } from "./admission.ts";

const MAX = 100;
const REOPENED = 80;

let changes: string[];
let admission: Admission;
beforeEach(() => {
  changes = [];
  admission = new Admission({
    partitions: 2,
    backlogMax: MAX,
    onChange: (bound, closed, partition) => changes.push(`${bound} ${closed ? "closed" : "open"} ${partition}`),
  });
});

const slugOf = (partition: number, valueBytes = 0): string | null => {
  try {
    admission.admit(partition, valueBytes);
    return null;
  } catch (error) {
    return (error as { slug: string }).slug;
  }
};

describe("the backlog of a partition", () => {
  test("closes at its bound, for this partition alone, and opens well below it", () => {
    admission.applied(0, 1000);
    admission.accepted(0, 1000 + MAX - 1);
    expect(slugOf(0)).toBeNull();
    admission.accepted(0, 1000 + MAX);
    expect([slugOf(0), slugOf(1)]).toEqual(["backlog-full", null]);
    expect(admission.closed()).toEqual([{ bound: "backlog-full", partition: 0 }]);
    admission.applied(0, 1000 + MAX - REOPENED - 1);
    expect(slugOf(0)).toBe("backlog-full");
    admission.applied(0, 1000 + MAX - REOPENED);
    expect(slugOf(0)).toBeNull();
    expect(changes).toEqual(["backlog-full closed 0", "backlog-full open 0"]);
  });

  test("that nobody knows yet refuses nothing; what the monitor then sees does", () => {
    admission.accepted(0, 5 * MAX);
    expect(slugOf(0)).toBeNull();
    admission.reported(0, 5 * MAX, 0);
    expect(slugOf(0)).toBe("backlog-full");
  });

  test("of other processes' commands counts: the monitor sees them, and our own ordinals count them", () => {
    admission.reported(0, MAX, 0);
    expect(slugOf(0)).toBe("backlog-full");
    admission.applied(1, 0);
    admission.accepted(1, MAX);
    expect(slugOf(1)).toBe("backlog-full");
  });

  test("a report that is older than our own appends opens nothing", () => {
    admission.applied(0, 0);
    admission.accepted(0, MAX);
    admission.reported(0, 10, 0);
    expect(slugOf(0)).toBe("backlog-full");
  });

  test("of a log that went back is forgotten with it", () => {
    admission.applied(0, 0);
    admission.accepted(0, MAX);
    admission.reported(0, MAX, 0);
    expect(slugOf(0)).toBe("backlog-full");
    admission.reported(0, 10, 0);
    expect(slugOf(0)).toBeNull();
  });

  test("of a store that went back grows again", () => {
    admission.applied(0, MAX);
    admission.accepted(0, MAX);
    expect(slugOf(0)).toBeNull();
    admission.applied(0, 0);
    expect(slugOf(0)).toBe("backlog-full");
  });
});

describe("the memory of the log", () => {
  const looked = (usedBytes: number) => admission.looked({ usedBytes, limitBytes: 1_000_000 });

  test("closes all partitions at 70 %, and opens them below 65 %", () => {
    looked(699_999);
    expect(slugOf(0)).toBeNull();
    looked(700_000);
    expect([slugOf(0), slugOf(1)]).toEqual(["log-full", "log-full"]);
    looked(650_000);
    expect(slugOf(0)).toBe("log-full");
    looked(649_999);
    expect([slugOf(0), slugOf(1)]).toEqual([null, null]);
    expect(changes).toEqual(["log-full closed null", "log-full open null"]);
  });

  test("is used by what was admitted since it was looked at, too", () => {
    looked(500_000);
    const commands = Array.from({ length: 400 }, () => slugOf(0, 1_000));
    const admitted = commands.filter((slug) => slug === null).length;
    expect(admitted * (1_000 + LOG_ENTRY_OVERHEAD_BYTES)).toBeGreaterThanOrEqual(200_000);
    expect((admitted - 1) * (1_000 + LOG_ENTRY_OVERHEAD_BYTES)).toBeLessThan(200_000);
    // What was on its way when the memory was read may not be in the figure.
    looked(500_000);
    expect(slugOf(0)).toBe("log-full");
    looked(500_000);
    expect(slugOf(0)).toBeNull();
  });

  test("is taken to be used by what was admitted just before the look, until the next one", () => {
    looked(0);
    expect(slugOf(0, 150_000)).toBeNull();
    looked(500_000);
    expect(slugOf(0, 60_000)).toBeNull();
    expect(slugOf(0)).toBe("log-full");
  });

  test("that was never looked at refuses nothing", () => {
    expect(slugOf(0, 1_000_000_000)).toBeNull();
    expect(slugOf(0)).toBeNull();
  });
});
