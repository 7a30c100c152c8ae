import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { readableLines } from "./log-lines.ts";

const read = readableLines(false);

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
    expect(read("api", JSON.stringify(line))).toBe('[api] [03:04:05.678] INFO: listening {"port":8080}');
  });

  it("stays one line, whatever it says", () => {
    const line = { level: "warn", msg: "command is dead", reason: "two\nlines", trace_id: "0af7" };
    expect(read("consumer-1", JSON.stringify(line))).toBe(
      '[consumer-1] WARN: command is dead {"reason":"two\\nlines","trace_id":"0af7"}',
    );
  });

  it("has colors where they are shown", () => {
    const line = JSON.stringify({ level: "error", msg: "halted" });
    const [plain, colored] = [read("api", line), readableLines(true)("api", line)];
    expect(colored).not.toBe(plain);
    expect(stripVTControlCharacters(colored)).toBe(plain);
  });

  it.each(["Error: boom", "{", "", "    at Object.<anonymous> (x.ts:1:2)"])("shows %j as it is", (line) => {
    expect(read("api", line)).toBe(`[api] ${line}`);
  });
});
