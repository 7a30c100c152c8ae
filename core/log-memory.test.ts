import { expect, test } from "vitest";
import { parseLogMemory, shareOf } from "./log-memory.ts";

const info = (maxmemory: number) =>
  [
    "# Memory",
    "used_memory:1000",
    "used_memory_human:1K",
    "total_system_memory:8000",
    `maxmemory:${maxmemory}`,
    "mem_not_counted_for_evict:200",
    "",
  ].join("\r\n");

test("used is what counts against maxmemory; where there is none, against the machine's memory", () => {
  expect(parseLogMemory(info(4000))).toEqual({ usedBytes: 800, limitBytes: 4000 });
  expect(shareOf(parseLogMemory(info(4000)))).toBe(0.2);
  expect(parseLogMemory(info(0))).toEqual({ usedBytes: 800, limitBytes: 8000 });
});

test("an answer that does not hold it is no answer", () => {
  expect(() => parseLogMemory("# Memory\r\nused_memory:x\r\n")).toThrow("used_memory");
});
