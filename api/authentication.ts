/**
 * Finds out who calls: by a bearer token (RFC 6750), one of the tokens file or a JWT.
 */
import { CREDENTIAL_MAX_CHARS } from "../core/access-limits.ts";
import type { Principal } from "./caller.ts";
import { ProblemError } from "./errors.ts";
import type { Incoming } from "./exchange.ts";
import type { Tokens } from "./tokens.ts";

/** `b64token` of RFC 6750, 2.1; the scheme's case does not matter (RFC 9110, 11.1). */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;
const CHALLENGE = 'Bearer realm="millrace"';

export interface AuthenticationOptions {
  /** The tokens as the file has them now. */
  readonly tokens: () => Tokens;
  /** Verifies JWTs; null where they are not taken. */
  readonly jwt: { verify(token: string, digest: string): Principal | Promise<Principal> } | null;
  /** SHA-256 in hexadecimal. */
  readonly digest: (token: string) => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class Authentication {
  readonly #options: AuthenticationOptions;

  constructor(options: AuthenticationOptions) {
    this.#options = options;
  }

  /**
   * Of the tokens file without a promise: almost all are.
   * @throws ProblemError `unauthenticated`, or why it cannot be known now
   */
  identify(incoming: Pick<Incoming, "header">): Principal | Promise<Principal> {
    const { tokens, jwt, digest, now } = this.#options;
    const header = incoming.header("authorization");
    // Who says nothing of himself is told how, and not that something is wrong (RFC 6750, 3).
    if (header === null) throw new ProblemError("unauthenticated", "", { "WWW-Authenticate": CHALLENGE });
    const token = header.length > CREDENTIAL_MAX_CHARS ? undefined : BEARER.exec(header)?.[1];
    if (token === undefined) throw invalidToken("Expected Authorization: Bearer <token>.");
    const digested = digest(token);
    const principal = tokens().get(digested);
    if (principal === undefined) {
      if (jwt === null) throw invalidToken("It is not known.");
      return jwt.verify(token, digested);
    }
    if (principal.expiresMs <= now()) throw invalidToken("It has expired.");
    return principal;
  }
}

/** @param detail never of the token */
export function invalidToken(detail: string): ProblemError {
  return new ProblemError("unauthenticated", detail, { "WWW-Authenticate": `${CHALLENGE}, error="invalid_token"` });
}
