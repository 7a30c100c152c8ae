import { pino } from "pino";
import { expect, test } from "vitest";
import { tellOfFaults } from "./tell-of-faults.ts";

test("a collector that is away is told of once a minute, with how often in between", () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(JSON.parse(line)) });
  let nowMs = 0;
  const faults = tellOfFaults(logger, () => nowMs);
  const fault = JSON.stringify({ stack: "at …", message: "connect ECONNREFUSED", code: "ECONNREFUSED" });
  for (let at = 0; at < 10; at += 1) faults.error(fault);
  expect(lines).toEqual([
    expect.objectContaining({ fault: "connect ECONNREFUSED ECONNREFUSED", msg: "traces cannot be sent" }),
  ]);
  nowMs = 60_000;
  faults.error("no JSON", new Error("of an error"));
  expect(lines[1]).toMatchObject({ fault: "no JSON of an error", untold: 9 });
});

test("what is no fault is not told", () => {
  const logger = pino({}, { write: () => expect.unreachable() });
  const faults = tellOfFaults(logger);
  for (const level of ["warn", "info", "debug", "verbose"] as const) faults[level]("x");
});
