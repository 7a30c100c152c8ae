/**
 * Counts requests by caller, for all processes together, on the log's Redis; for this process alone while that does not
 * answer. A count never fails and never waits long: a limit that is not quite kept is better than an answer that is not
 * given.
 *
 * Windows are fixed: the first request of a caller begins one. The library is loaded only where there is a limit.
 */
import type { RateLimiterRes, RLWrapperTimeouts } from "rate-limiter-flexible";
import { RATE_LIMIT_WAIT_MS } from "./access-limits.ts";
import { RATE_LIMITS_PREFIX } from "./keys.ts";
import type { Link } from "./redis/link.ts";

/** So many requests in so many seconds. */
export interface RateLimit {
  readonly requests: number;
  readonly seconds: number;
}

export interface RateCount {
  /** False: it is one too many. */
  readonly admitted: boolean;
  /** Requests left in this window. */
  readonly remaining: number;
  /** Until the window ends. */
  readonly resetMs: number;
}

type Library = typeof import("rate-limiter-flexible");

export class RateLimiter {
  readonly #link: Pick<Link, "client">;
  readonly #limiters = new Map<string, RLWrapperTimeouts>();
  #library: Library | null = null;

  /** @param link its own: a count that is late breaks no other call's connection */
  constructor(link: Pick<Link, "client">) {
    this.#link = link;
  }

  async load(): Promise<void> {
    this.#library ??= await import("rate-limiter-flexible");
  }

  /** Counts one request. @param caller whoever shares a count, of all that share one limit */
  async count(limit: RateLimit, caller: string): Promise<RateCount> {
    const library = this.#library;
    if (library === null) throw new Error("a rate limiter that was not loaded");
    try {
      return told(await this.#limiterOf(library, limit).consume(caller), true);
    } catch (refused) {
      if (refused instanceof library.RateLimiterRes) return told(refused, false);
      throw refused;
    }
  }

  #limiterOf(library: Library, { requests, seconds }: RateLimit): RLWrapperTimeouts {
    const policy = `${requests}/${seconds}`;
    let limiter = this.#limiters.get(policy);
    if (limiter === undefined) {
      const window = { points: requests, duration: seconds };
      limiter = new library.RLWrapperTimeouts({
        limiter: new library.RateLimiterRedis({
          ...window,
          keyPrefix: `${RATE_LIMITS_PREFIX}:${policy}`,
          storeClient: this.#link.client,
          rejectIfRedisNotReady: true,
          // Who has used up a window costs Redis nothing more until it ends.
          inMemoryBlockOnConsumed: requests,
        }),
        timeoutMs: RATE_LIMIT_WAIT_MS,
        insuranceLimiter: new library.RateLimiterMemory(window),
      });
      this.#limiters.set(policy, limiter);
    }
    return limiter;
  }
}

function told({ remainingPoints, msBeforeNext }: RateLimiterRes, admitted: boolean): RateCount {
  return { admitted, remaining: remainingPoints, resetMs: Math.max(0, msBeforeNext) };
}
