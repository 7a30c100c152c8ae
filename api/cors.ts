/**
 * Cross-origin requests of pages in a browser (https://fetch.spec.whatwg.org/#http-cors-protocol), where they are
 * configured. Credentials of the browser's own (cookies) are never asked for: a token is given by the page itself. Pure.
 */
import { z } from "zod";
import type { Answer, Incoming } from "./exchange.ts";

const ORIGIN = /^https?:\/\/[^/?#\s,@]+$/;

/** `https://a.example,https://b.example`, or `*`. Null: none. */
export const corsOrigins = z
  .string()
  .transform((text) => text.split(",").map((part) => part.trim()))
  .refine((origins) => origins.every((origin) => ORIGIN.test(origin)) || String(origins) === "*", {
    message: "is *, or origins as https://app.example, separated by commas, without a path",
  })
  .transform((origins) => new Cors(origins));

/** How long a browser may keep the answer to its preflight; browsers have shorter bounds of their own. */
const PREFLIGHT_KEPT_S = 600;

export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #all: boolean;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
    this.#all = this.#origins.has("*");
  }

  admits(origin: string): boolean {
    return this.#all || this.#origins.has(origin);
  }

  /** Adds to an answer what lets the page read it. */
  tell(incoming: Pick<Incoming, "header">, { headers }: Answer): void {
    const origin = incoming.header("origin");
    if (!this.#all) headers.Vary = headers.Vary === undefined ? "Origin" : `${headers.Vary}, Origin`;
    if (origin === null || !this.admits(origin)) return;
    headers["Access-Control-Allow-Origin"] = this.#all ? "*" : origin;
    // All there are: it means that where no credentials of the browser's own are sent.
    headers["Access-Control-Expose-Headers"] = "*";
  }

  /**
   * The answer to a browser that asks before it sends; null where it is none, or not of an origin that may.
   * @param allow the methods of the resource
   */
  preflight(incoming: Pick<Incoming, "header" | "method">, allow: string): Answer | null {
    const origin = incoming.header("origin");
    const method = incoming.header("access-control-request-method");
    if (incoming.method !== "OPTIONS" || origin === null || method === null || !this.admits(origin)) return null;
    const wanted = incoming.header("access-control-request-headers");
    return {
      status: 204,
      headers: {
        "Access-Control-Allow-Methods": allow,
        // Any: none of them makes a request do more than its token may.
        ...(wanted !== null && { "Access-Control-Allow-Headers": wanted }),
        "Access-Control-Max-Age": String(PREFLIGHT_KEPT_S),
        Vary: "Access-Control-Request-Headers",
      },
      body: null,
    };
  }
}
