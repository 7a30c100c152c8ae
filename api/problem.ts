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

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
}

/** A problem as it is told of an item among many; of a whole request its id is told too. */
export function problemDocument(
  slug: ProblemSlug,
  detail = "",
  members: Readonly<Record<string, unknown>> = {},
): ProblemDocument {
  const { status, title } = PROBLEMS[slug];
  return { type: problemType(slug), title, status, ...(detail !== "" && { detail }), ...members };
}

export function problemAnswer(
  slug: ProblemSlug,
  requestId: string,
  detail = "",
  headers: Readonly<Record<string, string>> = {},
  members: Readonly<Record<string, unknown>> = {},
): TextAnswer {
  const rest = PROBLEMS[slug];
  const body = { ...problemDocument(slug, detail, members), requestId };
  return {
    status: body.status,
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
