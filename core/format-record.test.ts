import { describe, expect, test } from "vitest";
import { type FormatRecord, judgeFormat } from "./format-record.ts";

const ours: FormatRecord = { version: 1, hash: "crc16-slot-mod", partitions: 16, id: "ours" };

describe("the recorded format", () => {
  test("is made once, the same for both, when both are new", () => {
    const verdict = judgeFormat("none", "none", 16, "new");
    expect(verdict.log).toEqual({ ...ours, id: "new" });
    expect(verdict.store).toEqual(verdict.log);
  });

  test("another number of partitions is refused, whichever side tells", () => {
    expect(() => judgeFormat(ours, "unreachable", 8, "new")).toThrow("16 partitions, this process was told 8");
    expect(() => judgeFormat("unreachable", ours, 8, "new")).toThrow("16 partitions");
  });

  test("a log and a store of two installations are refused", () => {
    expect(() => judgeFormat(ours, { ...ours, id: "theirs" }, 16, "new")).toThrow("two different installations");
  });

  test("a side that lost its record gets the other's, never a new one", () => {
    expect(judgeFormat(ours, "none", 16, "new")).toEqual({ log: "usable", store: ours });
    expect(judgeFormat("none", ours, 16, "new")).toEqual({ log: ours, store: "usable" });
  });

  test("nothing is made while one side cannot be asked, and the other is usable by itself", () => {
    expect(judgeFormat("none", "unreachable", 16, "new")).toEqual({ log: "unknown", store: "unknown" });
    expect(judgeFormat(ours, "unreachable", 16, "new")).toEqual({ log: "usable", store: "unknown" });
    expect(judgeFormat("unreachable", ours, 16, "new")).toEqual({ log: "unknown", store: "usable" });
  });
});
