/**
 * Lets requests in: finds out who calls, counts him, and asks whether he may. Deny by default: a route that needs something
 * is refused to whoever cannot show it.
 *
 * In this order, so that nobody learns anything before he has said who he is, and whoever guesses is counted by his address:
 * authentication, rate limit, authorization. Calls of admin routes are told to the audit log, whatever comes of them.
 */
import type { RateLimit, RateLimiter } from "../core/rate-limiter.ts";
import type { Authentication } from "./authentication.ts";
import { ANYBODY, type Caller, demand, NOBODY, type Principal } from "./caller.ts";
import { ProblemError } from "./errors.ts";
import type { Answer, Incoming } from "./exchange.ts";
import type { Statement } from "./need.ts";
import { counterOfAddress, describeCount } from "./rate-limits.ts";
import { splitTarget } from "./target.ts";
import { whileAllowed } from "./while-allowed.ts";

export interface AccessOptions {
  /** Null where neither tokens nor JWTs are configured: everybody may do everything. */
  readonly authentication: Pick<Authentication, "identify"> | null;
  /** Of whoever has no limit of his own; null: none. */
  readonly defaultLimit: RateLimit | null;
  /** Null only where nobody can have a limit. */
  readonly limiter: Pick<RateLimiter, "count"> | null;
  /** May pages of this origin ask, though they are not ours? */
  readonly admitsOrigin: (origin: string) => boolean;
  readonly audit: (line: AuditLine) => void;
}

/** What the audit log says of a call of an admin route. */
export interface AuditLine {
  /** Null: unauthenticated. */
  readonly who: string | null;
  readonly address: string | null;
  readonly action: string;
  readonly target: string;
  readonly query?: string;
  readonly requestId: string;
  readonly status: number;
}

/** One request on its way through a gate. */
export interface Visit {
  /** For its answer, whatever that is. */
  readonly headers: Record<string, string>;
  who: string | null;
}

export interface Gate {
  /** @throws ProblemError when the request is not let in */
  enter(incoming: Incoming, visit: Visit): Promise<Caller>;
  /** It is answered. @returns the answer as it goes out */
  leave(incoming: Incoming, visit: Visit, answer: Answer): Answer;
}

/** What may stand in the audit log of a query: other parameters are refused, and might hold anything. */
const AUDITED = ["namespace", "key", "prefix", "reason", "partition", "since", "until", "limit", "cursor"].concat([
  "confirm",
  "force",
  "dry_run",
  "all",
  "wait",
]);

export class Access {
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /**
   * @param name of the route
   * @returns null where nothing has to be asked and nothing to be told: then it costs nothing
   */
  gateOf(name: string, statement: Statement): Gate | null {
    const { authentication, defaultLimit } = this.#options;
    const audited = statement.action === "admin";
    // A form of any page can POST here, without asking first. Other methods need a preflight.
    const guarded = authentication === null && name.startsWith("POST ");
    const open = statement.action === "none" || (authentication === null && defaultLimit === null);
    if (open && !audited && !guarded) return null;
    return {
      enter: (incoming, visit) => this.#enter(incoming, visit, statement, guarded),
      leave: (incoming, visit, answer) => {
        Object.assign(answer.headers, visit.headers);
        if (audited) this.#audit(name, incoming, visit, answer);
        const { body } = answer;
        if (!(body instanceof ReadableStream) || authentication === null) return answer;
        return { ...answer, body: whileAllowed(body, () => this.#mayStill(incoming, statement)) };
      },
    };
  }

  async #enter(incoming: Incoming, visit: Visit, statement: Statement, guarded: boolean): Promise<Caller> {
    const { authentication, defaultLimit } = this.#options;
    if (statement.action === "none") return NOBODY;
    let principal: Principal | null = null;
    let refusal: Error | null = null;
    if (authentication === null) {
      visit.who = ANYBODY.name;
    } else {
      try {
        principal = await authentication.identify(incoming);
        visit.who = principal.name;
      } catch (error) {
        refusal = error instanceof Error ? error : new Error(String(error));
      }
    }
    const limit = principal?.limit ?? defaultLimit;
    if (limit !== null) await this.#count(limit, principal, incoming, visit);
    if (refusal !== null) throw refusal;
    if (guarded) this.#refuseForeignPage(incoming);
    const caller = principal ?? ANYBODY;
    if (statement.need !== null && principal !== null) demand(principal, statement.need(incoming));
    return caller;
  }

  /** Would it be let in now? Its token may be gone since, or allow less. */
  async #mayStill(incoming: Incoming, { need }: Statement): Promise<boolean> {
    try {
      const principal = await this.#options.authentication?.identify(incoming);
      return principal !== undefined && (need === null || principal.may(need(incoming)));
    } catch {
      return false;
    }
  }

  async #count(limit: RateLimit, principal: Principal | null, incoming: Incoming, visit: Visit): Promise<void> {
    const counter = principal?.name ?? counterOfAddress(incoming.address);
    const count = await this.#options.limiter?.count(limit, counter);
    if (count === undefined) return;
    Object.assign(visit.headers, describeCount(principal?.limit ? "token" : "default", limit, count));
    if (count.admitted) return;
    const retryAfterS = Math.max(1, Math.ceil(count.resetMs / 1000));
    throw new ProblemError("rate-limited", `${limit.requests} in ${limit.seconds} s are allowed.`, {
      "Retry-After": String(retryAfterS),
    });
  }

  /** Whoever may do everything must not do it for a page that he happens to look at. */
  #refuseForeignPage(incoming: Incoming): void {
    const origin = incoming.header("origin");
    if (origin === null || this.#options.admitsOrigin(origin)) return;
    if (origin.replace(/^https?:\/\//, "") !== incoming.header("host")) throw new ProblemError("foreign-origin");
  }

  #audit(action: string, incoming: Incoming, { who }: Visit, { status, headers }: Answer): void {
    const { path, query } = splitTarget(incoming.target);
    const told = new URLSearchParams([...(query ?? [])].filter(([name]) => AUDITED.includes(name))).toString();
    this.#options.audit({
      who,
      address: incoming.address,
      action,
      target: path,
      ...(told !== "" && { query: told }),
      requestId: headers["X-Request-Id"] ?? "",
      status,
    });
  }
}
