import { type Logger, pino } from "pino";
import { beforeEach, describe, expect, test } from "vitest";
import { FaultLog } from "./fault-log.ts";

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly faults?: number;
  readonly forS?: number;
}

let lines: Line[];
let logger: Logger;
let nowMs: number;

beforeEach(() => {
  lines = [];
  nowMs = 1000;
  logger = pino(
    { level: "debug", base: null, formatters: { level: (level) => ({ level }) } },
    { write: (text) => void lines.push(JSON.parse(text)) },
  );
});

const told = (level: string) => lines.filter((line) => line.level === level);

/** A loop that tries again every so often, for so long. */
function retry(faults: FaultLog, everyMs: number, forMs: number, message = "away"): void {
  for (const endMs = nowMs + forMs; nowMs <= endMs; nowMs += everyMs) faults.fault({}, message);
}

describe("a fault that goes on is told louder and louder, and not more often than needed:", () => {
  test("what is over in a moment is one line at info, and its end one at debug", () => {
    const faults = new FaultLog(logger, "info", () => nowMs);
    retry(faults, 25, 1000);
    faults.over({}, "back");
    expect(told("info").length).toBe(1);
    expect([...told("warn"), ...told("error")]).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ level: "debug", msg: "back", faults: 41 });
  });

  test("after two seconds it is one warning, after thirty an error, and then one a minute", () => {
    const faults = new FaultLog(logger, "info", () => nowMs);
    retry(faults, 100, 150_000);
    expect(told("info").length).toBe(1);
    expect(told("warn")).toMatchObject([{ forS: 2, faults: 21 }]);
    expect(told("error")).toMatchObject([{ forS: 30 }, { forS: 90 }, { forS: 150 }]);
    expect(lines.map(({ level }) => level).filter((level) => level !== "debug")).toEqual([
      ...["info", "warn", "error", "error", "error"],
    ]);
  });

  test("its end is told at info where there was a warning, with how long it was and how often", () => {
    const faults = new FaultLog(logger, "info", () => nowMs);
    retry(faults, 1000, 40_000);
    faults.over({}, "back");
    expect(lines.at(-1)).toMatchObject({ level: "info", msg: "back", faults: 41, forS: 41 });
  });

  test("the next one begins quietly again", () => {
    const faults = new FaultLog(logger, "info", () => nowMs);
    retry(faults, 1000, 40_000);
    faults.over({}, "back");
    lines.length = 0;
    retry(faults, 100, 1000);
    expect(lines[0]?.level).toBe("info");
    expect([...told("warn"), ...told("error")]).toEqual([]);
  });

  test("that all is well, and was, is nothing to tell", () => {
    const faults = new FaultLog(logger);
    for (let i = 0; i < 10; i += 1) faults.over({}, "back");
    expect(lines).toEqual([]);
  });

  test("several loops that try again side by side rise each by itself: the healthy ones are not heard", () => {
    const loops = ["log", "store", "jobs"].map((name) => ({
      name,
      faults: new FaultLog(logger, name === "jobs" ? "debug" : "info", () => nowMs),
    }));
    const [log, store, jobs] = loops;
    for (const endMs = nowMs + 60_000; nowMs < endMs; nowMs += 50) {
      log?.faults.fault({}, "log");
      // It comes and goes.
      if (nowMs % 1000 === 0) store?.faults.over({}, "store");
      else store?.faults.fault({}, "store");
      jobs?.faults.fault({}, "jobs");
    }
    const heard = (message: string) =>
      lines.filter(({ msg, level }) => msg === message && level !== "debug").map(({ level }) => level);
    expect(heard("log")).toEqual(["info", "warn", "error"]);
    expect(heard("jobs")).toEqual(["warn", "error"]);
    expect(new Set(heard("store"))).toEqual(new Set(["info"]));
    expect(heard("store").length).toBe(60);
  });
});
