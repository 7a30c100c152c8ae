import { describe, expect, it } from "vitest";
import { readableLine } from "./log-lines.ts";

describe("a log line on the terminal", () => {
  it("says who, when, how bad and what, without what is the same in all lines", () => {
    const line = {
      level: "info",
      time: "2026-01-02T03:04:05.678Z",
      service: "api",
      pid: 7,
      msg: "listening",
      port: 8080,
    };
    expect(readableLine("api", JSON.stringify(line))).toBe("[api] 03:04:05.678 info listening port=8080");
  });

  it("quotes only what needs it, and shows an error by its message", () => {
    const line = {
      level: "warn",
      msg: "held",
      state: "unconfirmed",
      detail: "two words",
      err: { message: "no", stack: "at" },
    };
    expect(readableLine("consumer-1", JSON.stringify(line))).toBe(
      '[consumer-1] warn held state=unconfirmed detail="two words" err="no"',
    );
  });

  it.each(["Error: boom", "{", "[1]", "null", '{"msg":"no level"}', ""])("shows %j as it is", (line) => {
    expect(readableLine("api", line)).toBe(`[api] ${line}`);
  });
});
