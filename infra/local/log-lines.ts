import { z } from "zod";

const record = z.looseObject({
  level: z.union([z.string(), z.number()]),
  time: z.union([z.string(), z.number()]).optional(),
  msg: z.string().optional(),
});

// The same in every line of a process, so it says nothing beside the name in front.
const HIDDEN = new Set(["level", "time", "msg", "pid", "hostname", "service"]);

/** A JSON log line of a child as a person reads it: `[api] 12:00:01.123 info listening port=8080`. */
export function readableLine(name: string, line: string): string {
  const parsed = record.safeParse(parseJson(line));
  if (!parsed.success) return `[${name}] ${line}`;
  const { level, time, msg, ...rest } = parsed.data;
  const details = Object.entries(rest)
    .filter(([field]) => !HIDDEN.has(field))
    .map(([field, value]) => `${field}=${readableValue(value)}`);
  return [`[${name}]`, clockTime(time), String(level), msg, ...details].filter(Boolean).join(" ");
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function clockTime(time: string | number | undefined): string {
  if (time === undefined) return "";
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(11, 23);
}

function readableValue(value: unknown): string {
  if (typeof value === "string") return /[\s"]/.test(value) ? JSON.stringify(value) : value;
  // The stack of an error reads badly on one line, and the log has it.
  if (value instanceof Object && "message" in value) return JSON.stringify(value.message);
  return JSON.stringify(value) ?? String(value);
}
