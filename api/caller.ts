/**
 * Who asks, as the handlers see it.
 */
import type { RateLimit } from "../core/rate-limiter.ts";
import { type Action, isAllowed, type Need, type Scope } from "./authorization.ts";
import { ProblemError } from "./errors.ts";

export interface Caller {
  /** For logs and counts: never the token itself. */
  readonly name: string;
  may(need: Need): boolean;
}

/** Whoever has a token or a JWT. */
export interface Principal extends Caller {
  /** Instead of the limit that holds for everybody. */
  readonly limit: RateLimit | null;
  /** Milliseconds since the epoch from which on it is none any more. */
  readonly expiresMs: number;
}

/** Where neither tokens nor JWTs are configured. */
export const ANYBODY: Caller = { name: "anonymous", may: () => true };

/** On routes that are open to all. */
export const NOBODY: Caller = { name: "nobody", may: () => false };

/** @param expiresMs undefined: never */
export function principalOf(
  name: string,
  scopes: readonly Scope[],
  limit: RateLimit | null = null,
  expiresMs: number = Number.POSITIVE_INFINITY,
): Principal {
  return { name, may: (need) => isAllowed(scopes, need), limit, expiresMs };
}

/** @throws ProblemError `forbidden`: it says nothing of what is there */
export function demand(caller: Caller, need: Need): void {
  if (!caller.may(need)) throw forbidden(need.action);
}

function forbidden(action: Action | "any"): ProblemError {
  const wanted = action === "any" ? "" : ` to ${action}`;
  return new ProblemError("forbidden", `No scope of this token allows it${wanted} there.`, {
    "WWW-Authenticate": 'Bearer realm="millrace", error="insufficient_scope"',
  });
}
