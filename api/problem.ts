/**
 * Answers of failure: `application/problem+json` (RFC 9457).
 */
import { PROBLEMS, type ProblemSlug } from "./errors.ts";

const REQUEST_ID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;

/** Names requests: what the client called it, when that is safe to repeat, else a name of our own. */
export class RequestIds {
  readonly #prefix: string;
  #count = 0;

  /** @param prefix unique to this process */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  of(request: Request): string {
    const given = request.headers.get("x-request-id");
    if (given !== null && REQUEST_ID_PATTERN.test(given)) return given;
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }
}

export function problemResponse(
  slug: ProblemSlug,
  requestId: string,
  detail = "",
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { status, title, ...rest } = PROBLEMS[slug];
  const body = { type: `/problems/${slug}`, title, status, ...(detail !== "" && { detail }), requestId };
  return new Response(`${JSON.stringify(body)}\n`, {
    status,
    headers: {
      "Content-Type": "application/problem+json",
      "X-Content-Type-Options": "nosniff",
      "X-Request-Id": requestId,
      ...("retryAfterS" in rest && { "Retry-After": String(rest.retryAfterS) }),
      ...headers,
    },
  });
}
