import { type Logger, pino } from "pino";
import { expect, test } from "vitest";
import type { ApplicableEntry, EndedCommand } from "../core/functions/apply.ts";
import { tellEnded } from "./ended-commands.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

function lab(level: "debug" | "info") {
  const lines: Record<string, unknown>[] = [];
  const logger: Logger = pino(
    { level, base: null, timestamp: false, formatters: { level: (name) => ({ level: name }) } },
    { write: (text) => void lines.push(JSON.parse(text)) },
  );
  return { lines, logger };
}

const command = (id: string): ApplicableEntry => ({
  kind: "command",
  id,
  ordinal: 1,
  stamp: { producer: "p", sequence: 1 },
  header: "",
  command: {
    namespace: "n",
    key: "secret-key",
    operation: { op: "delete" },
    awaited: false,
    acceptedMs: 1,
    traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`,
  },
});
const entries = ["10-0", "10-1", "10-2"].map(command);
const dead = (id: string): EndedCommand => ({ id, result: { outcome: "dead", reason: "not ours" } });
const rejected: EndedCommand = { id: "10-1", result: { outcome: "rejected", reason: "precondition" as never } };

test("each dead command is one warning with its id, its reason and its trace, and without its key", () => {
  const { lines, logger } = lab("info");
  tellEnded(logger, 3, entries, { dead: 1, ended: [rejected, dead("10-2")] });
  expect(lines).toEqual([
    {
      level: "warn",
      partition: 3,
      id: "03-10-2",
      trace_id: TRACE_ID,
      span_id: "b7ad6b7169203331",
      reason: "not ours",
      msg: "command is dead",
    },
  ]);
});

test("a rejected one is told at debug", () => {
  const { lines, logger } = lab("debug");
  tellEnded(logger, 3, entries, { dead: 0, ended: [rejected] });
  expect(lines).toMatchObject([{ level: "debug", id: "03-10-1", trace_id: TRACE_ID, reason: "precondition" }]);
});

test("dead ones that the store did not name are counted in one line", () => {
  const { lines, logger } = lab("info");
  tellEnded(logger, 3, entries, { dead: 300, ended: [dead("10-0"), dead("10-1")] });
  expect(lines.length).toBe(3);
  expect(lines[2]).toMatchObject({ level: "warn", partition: 3, dead: 298 });
});

test("an entry that never was a command has no trace", () => {
  const { lines, logger } = lab("info");
  const malformed = {
    kind: "malformed",
    id: "10-9",
    ordinal: 0,
    reason: "",
    header: "",
    body: Buffer.alloc(0),
  } as const;
  tellEnded(logger, 3, [malformed], { dead: 1, ended: [dead("10-9")] });
  expect(lines[0]).not.toHaveProperty("trace_id");
});
