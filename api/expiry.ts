/**
 * When a key expires, as a write says it: `?ttl=<seconds>`, `?expires_at=<epoch seconds>` or `?keep_ttl`. Pure.
 */
import type { Expiry } from "../core/command.ts";
import { TTL_MAX_S } from "../core/limits.ts";
import { ProblemError } from "./errors.ts";

export const EXPIRY_PARAMETERS: readonly string[] = ["ttl", "expires_at", "keep_ttl"];

const SECONDS = /^\d{1,10}$/;
/** Down to the millisecond, as a key's expiry is told. */
const MOMENT = /^\d{1,12}(?:\.\d{1,3})?$/;
/** The end of the year 9999. */
const MOMENT_MAX_MS = 253_402_300_799_999;

/**
 * @returns undefined when the write says nothing of it
 * @throws ProblemError `invalid-expiry`, also for a moment that has passed
 */
export function parseExpiry(query: URLSearchParams | null, nowMs: number): Expiry | undefined {
  if (query === null) return undefined;
  const given = EXPIRY_PARAMETERS.flatMap((name) => query.getAll(name).map((text) => [name, text] as const));
  const [first] = given;
  if (first === undefined) return undefined;
  if (given.length > 1) throw invalid("Give one of ttl, expires_at and keep_ttl, once.");
  const [name, text] = first;
  switch (name) {
    case "ttl":
      return { ttlMs: parseTtl(text) };
    case "expires_at":
      return { atMs: parseMoment(text, nowMs) };
    default:
      if (text !== "" && text !== "true") throw invalid("keep_ttl takes no value.");
      return "keep";
  }
}

/** The other way: as a key's expiry is told, in seconds since the epoch. */
export function tellMoment(ms: number): number {
  return ms / 1000;
}

function parseTtl(text: string): number {
  const seconds = SECONDS.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > TTL_MAX_S) throw invalid(`ttl is a whole number of seconds, 1 to ${TTL_MAX_S}.`);
  return seconds * 1000;
}

function parseMoment(text: string, nowMs: number): number {
  const ms = MOMENT.test(text) ? Math.round(Number(text) * 1000) : 0;
  if (ms > MOMENT_MAX_MS) throw invalid("expires_at is after the year 9999.");
  if (ms <= nowMs) throw invalid("expires_at is a moment to come, in seconds since the epoch.");
  return ms;
}

function invalid(detail: string): ProblemError {
  return new ProblemError("invalid-expiry", detail);
}
