/**
 * When a key expires, as a write says it: `?ttl=<seconds>`, `?expires_at=<epoch seconds>` or `?keep_ttl`. Pure.
 */
import { z } from "zod";
import type { Expiry } from "../core/command.ts";
import { TTL_MAX_S } from "../core/limits.ts";
import { ProblemError, type ProblemSlug } from "./errors.ts";

const SECONDS = /^[1-9]\d{0,9}$/;
/** Down to the millisecond, as a key's expiry is told. */
const MOMENT = /^\d{1,12}(?:\.\d{1,3})?$/;
/** The end of the year 9999. */
const MOMENT_MAX_MS = 253_402_300_799_999;

const ttlError = `is a whole number of seconds, 1 to ${TTL_MAX_S}.`;
const momentError = "is a time in seconds since the epoch, before the year 10000.";

/** The parameters, for a route's query. */
export const EXPIRY_PARAMETERS = {
  ttl: z
    .string()
    .regex(SECONDS, { error: ttlError, abort: true })
    .transform(Number)
    .refine((seconds) => seconds <= TTL_MAX_S, { error: ttlError })
    .optional()
    .describe("Seconds to live, from when the command is applied."),
  expires_at: z
    .string()
    .regex(MOMENT, { error: momentError, abort: true })
    .transform((text) => Math.round(Number(text) * 1000))
    .refine((ms) => ms <= MOMENT_MAX_MS, { error: momentError })
    .optional()
    .describe("When the key expires, in seconds since the epoch."),
  keep_ttl: z
    .enum(["", "true"], { error: "takes no value." })
    .optional()
    .describe("The key goes on expiring when it did before."),
};

export const EXPIRY_PROBLEMS = {
  ttl: "invalid-expiry",
  expires_at: "invalid-expiry",
  keep_ttl: "invalid-expiry",
} as const satisfies Record<keyof typeof EXPIRY_PARAMETERS, ProblemSlug>;

type GivenExpiry = { readonly [Name in keyof typeof EXPIRY_PARAMETERS]?: z.output<(typeof EXPIRY_PARAMETERS)[Name]> };

/**
 * @returns undefined when the write says nothing of it
 * @throws ProblemError `invalid-expiry`, also for a moment that has passed
 */
export function expiryOf({ ttl, expires_at: atMs, keep_ttl: keep }: GivenExpiry, nowMs: number): Expiry | undefined {
  const given = [ttl, atMs, keep].filter((one) => one !== undefined);
  if (given.length === 0) return undefined;
  if (given.length > 1) throw new ProblemError("invalid-expiry", "Give one of ttl, expires_at and keep_ttl.");
  if (ttl !== undefined) return { ttlMs: ttl * 1000 };
  if (atMs === undefined) return "keep";
  if (atMs <= nowMs) throw new ProblemError("invalid-expiry", "expires_at has passed.");
  return { atMs };
}

/** The other way: as a key's expiry is told, in seconds since the epoch. */
export function tellMoment(ms: number): number {
  return ms / 1000;
}
