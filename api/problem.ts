/**
 * Answers of failure: `application/problem+json` (RFC 9457).
 */
import { PROBLEMS, type ProblemSlug } from "./errors.ts";
import type { Incoming, TextAnswer } from "./exchange.ts";
import { DOCUMENT_HEADERS } from "./security-headers.ts";

const REQUEST_ID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;

/** What the client called its request, when that is safe to repeat. */
export function givenRequestId(incoming: Incoming): string | null {
  const given = incoming.header("x-request-id");
  return given !== null && REQUEST_ID_PATTERN.test(given) ? given : null;
}

/** Names requests that their clients have not named. */
export class RequestIds {
  readonly #prefix: string;
  #count = 0;

  /** @param prefix unique to this process */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  next(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }

  of(incoming: Incoming): string {
    return givenRequestId(incoming) ?? this.next();
  }
}

/**
 * The URL of a problem's type, where it is documented. Relative, with its whole path (RFC 9457, 3.1.1): it means the same in
 * every installation, under whatever names that is reached.
 */
export function problemType(slug: ProblemSlug): string {
  return `/problems/${slug}`;
}

export function problemAnswer(
  slug: ProblemSlug,
  requestId: string,
  detail = "",
  headers: Readonly<Record<string, string>> = {},
  members: Readonly<Record<string, unknown>> = {},
): TextAnswer {
  const { status, title, ...rest } = PROBLEMS[slug];
  const body = { type: problemType(slug), title, status, ...(detail !== "" && { detail }), ...members, requestId };
  return {
    status,
    headers: {
      "Content-Type": "application/problem+json",
      ...DOCUMENT_HEADERS,
      // A 404 or 410 may be kept by caches unless they are told not to (RFC 9111, 3).
      "Cache-Control": "no-store",
      "X-Request-Id": requestId,
      ...("retryAfterS" in rest && { "Retry-After": String(rest.retryAfterS) }),
      ...headers,
    },
    body: `${JSON.stringify(body)}\n`,
  };
}
