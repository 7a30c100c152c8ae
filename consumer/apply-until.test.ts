import { expect, test } from "vitest";
import { stoppedAt } from "./apply-until.ts";

test("a partition that stops says until when, what waits, and that its store is beyond that time", () => {
  const untilMs = Date.parse("2026-11-21T16:40:00Z");
  const { state, reason } = stoppedAt(untilMs, 12, { id: `${untilMs}-3`, ordinal: 5 });
  expect(state).toBe("stopped");
  expect(reason).toContain("2026-11-21T16:40:00.000Z is not applied (MILLRACE_APPLY_UNTIL): 12 commands");
  expect(reason).not.toContain("already");
  const beyond = stoppedAt(untilMs, 0, { id: `${untilMs + 1000}-0`, ordinal: 9 });
  expect(beyond.reason).toContain("stands at 2026-11-21T16:40:01.000Z already");
});
