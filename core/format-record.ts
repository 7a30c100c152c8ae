/**
 * What both Redises record of the data's format, once, and every process checks before it touches data.
 *
 * The number of partitions and the hash decide where a key lives: a process that disagrees would scatter data. The id
 * pairs a log with its store: a store that meets a foreign log would apply it.
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { OperatingError } from "./errors.ts";
import { FORMAT_KEY } from "./keys.ts";
import type { Link } from "./redis/link.ts";

const formatSchema = z.object({
  version: z.literal(1),
  hash: z.literal("crc16-slot-mod"),
  partitions: z.number().int().positive(),
  /** The same in a log and its store, and in no other. */
  id: z.string().min(1),
});

export type FormatRecord = z.infer<typeof formatSchema>;

/** What a Redis holds: a record, none, or it could not be asked. */
export type Recorded = FormatRecord | "none" | "unreachable";

/** May this process use the log, the store, and what must be recorded first? */
export interface FormatVerdict {
  readonly log: "usable" | "unknown" | FormatRecord;
  readonly store: "usable" | "unknown" | FormatRecord;
}

/**
 * Pure: what follows from what both hold.
 * A record is made only when neither holds one; a Redis without one, beside one with, was wiped or is new: it gets the
 * same, and the watermark decides whether the partitions can go on.
 * @throws OperatingError `format-mismatch`, never retryable
 */
export function judgeFormat(log: Recorded, store: Recorded, partitions: number, newId: string): FormatVerdict {
  for (const [name, record] of [
    ["log", log],
    ["store", store],
  ] as const) {
    if (typeof record === "object" && record.partitions !== partitions) {
      throw mismatch(`the ${name} has ${record.partitions} partitions, this process was told ${partitions}`);
    }
  }
  if (typeof log === "object" && typeof store === "object" && log.id !== store.id) {
    throw mismatch("log and store belong to two different installations");
  }
  const known = typeof log === "object" ? log : typeof store === "object" ? store : null;
  const fresh: FormatRecord = { version: 1, hash: "crc16-slot-mod", partitions, id: newId };
  const toWrite = known ?? (log === "none" && store === "none" ? fresh : null);
  const verdict = (record: Recorded) =>
    typeof record === "object" ? "usable" : record === "none" && toWrite !== null ? toWrite : "unknown";
  return { log: verdict(log), store: verdict(store) };
}

/**
 * Checks both Redises, and records the format where it is new.
 * @returns which of the two may be used; the other could not be judged yet: ask again
 */
export async function checkFormat(
  log: Link,
  store: Link,
  partitions: number,
): Promise<{ readonly log: boolean; readonly store: boolean }> {
  const [logRecord, storeRecord] = await Promise.all([readRecord(log), readRecord(store)]);
  const verdict = judgeFormat(logRecord, storeRecord, partitions, randomUUID());
  // The log first: a racing process that finds only the log's record copies it.
  if (typeof verdict.log === "object") await writeRecord(log, verdict.log);
  if (typeof verdict.store === "object") {
    if (typeof verdict.log === "object") {
      // Another process may have been first with another id: what the log holds now counts.
      const settled = await readRecord(log);
      await writeRecord(store, typeof settled === "object" ? settled : verdict.store);
    } else {
      await writeRecord(store, verdict.store);
    }
  }
  if (typeof verdict.log === "object" || typeof verdict.store === "object") return checkFormat(log, store, partitions);
  return { log: verdict.log === "usable", store: verdict.store === "usable" };
}

async function readRecord(link: Link): Promise<Recorded> {
  let text: Buffer | null;
  try {
    text = (await link.call({ name: "GET", args: [FORMAT_KEY] })) as Buffer | null;
  } catch {
    return "unreachable";
  }
  if (text === null) return "none";
  const parsed = formatSchema.safeParse(parseJson(String(text)));
  if (!parsed.success) throw mismatch("the recorded format is not one that this version knows");
  return parsed.data;
}

async function writeRecord(link: Link, record: FormatRecord): Promise<void> {
  await link.call({ name: "SET", args: [FORMAT_KEY, JSON.stringify(record), "NX"] });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function mismatch(message: string): OperatingError {
  return new OperatingError("format-mismatch", message, { retryable: false });
}
