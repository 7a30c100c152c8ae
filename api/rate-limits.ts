/**
 * Rate limits as they are configured, and as they are told (draft-ietf-httpapi-ratelimit-headers-10). Pure.
 */
import { z } from "zod";
import type { RateCount, RateLimit } from "../core/rate-limiter.ts";
import { rateLimitSchema } from "./tokens.ts";

const UNITS_S = { s: 1, m: 60, h: 3600 } as const;

/** `1000/1s`, `100/5m`. */
export const rateLimit = z
  .string()
  .regex(/^\d{1,10}\/\d{1,4}[smh]$/, "is <requests>/<time>, as 1000/1s")
  .transform((text): RateLimit => {
    const [requests = "", window = ""] = text.split("/");
    const unit = window.slice(-1) as keyof typeof UNITS_S;
    return { requests: Number(requests), seconds: Number(window.slice(0, -1)) * UNITS_S[unit] };
  })
  .pipe(rateLimitSchema);

/** @param policy which of the limits it is */
export function describeCount(
  policy: string,
  { requests, seconds }: RateLimit,
  { remaining, resetMs }: RateCount,
): Record<"RateLimit" | "RateLimit-Policy", string> {
  return {
    RateLimit: `"${policy}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`,
    "RateLimit-Policy": `"${policy}";q=${requests};w=${seconds}`,
  };
}

/**
 * Who shares a count by address. Of IPv6 the first 64 bits: whoever has one address there has all of them.
 * @param address null where it is not known: all of those share one
 */
export function counterOfAddress(address: string | null): string {
  if (address === null) return "address:unknown";
  if (!address.includes(":") || address.includes(".")) return `address:${address.replace(/^::ffff:/i, "")}`;
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const rest = tail === "" ? [] : tail.split(":");
    groups.push(...Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => "0"), ...rest);
  }
  return `address:${groups.slice(0, 4).join(":")}::/64`;
}
