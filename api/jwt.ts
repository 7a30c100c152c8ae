/**
 * JWTs (RFC 7519) as bearer tokens: signed by a key of their issuer's, for this audience, not expired; their scopes in the
 * claim `millrace`, as in the tokens file. Asymmetric signatures only: with a secret, whoever can verify could also sign.
 */
import type { JWTPayload } from "jose";
import { JWT_CACHE_MAX, JWT_CLOCK_TOLERANCE_S } from "../core/access-limits.ts";
import { invalidToken } from "./authentication.ts";
import { scopesSchema } from "./authorization.ts";
import { type Principal, principalOf } from "./caller.ts";
import { ProblemError } from "./errors.ts";
import { KeySet, type KeySetOptions } from "./key-set.ts";

const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
const NAME_MAX_CHARS = 255;

export interface JwtOptions extends Pick<KeySetOptions, "now" | "onFault"> {
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
}

export class Jwt {
  readonly #options: JwtOptions;
  /** Those verified, by their digest; the oldest goes first. */
  #verified = new Map<string, Principal>();
  #jose: { readonly verify: typeof import("jose")["jwtVerify"]; readonly keys: KeySet } | null = null;

  constructor(options: JwtOptions) {
    this.#options = options;
  }

  /** The library is loaded only where JWTs are taken. */
  async load(): Promise<void> {
    const { now, onFault, jwksUrl } = this.#options;
    const { createLocalJWKSet, jwtVerify } = await import("jose");
    // A key that is gone is revoked, and what it signed with it.
    const onChange = () => {
      this.#verified = new Map();
    };
    const keys = new KeySet({ url: jwksUrl, now, onFault, onChange, parse: createLocalJWKSet });
    this.#jose = { verify: jwtVerify, keys };
  }

  /** @throws ProblemError `unauthenticated`, `keys-unavailable` */
  verify(token: string, digest: string): Principal | Promise<Principal> {
    const known = this.#verified.get(digest);
    if (known === undefined || this.#jose?.keys.isStale()) return this.#verifyAnew(token, digest);
    if (known.expiresMs > this.#options.now()) return known;
    this.#verified.delete(digest);
    throw invalidToken("It has expired.");
  }

  async #verifyAnew(token: string, digest: string): Promise<Principal> {
    // Other keys may come meanwhile: what the old ones verified is then not remembered.
    const verified = this.#verified;
    const principal = principalIn(await this.#payloadOf(token));
    if (verified.size >= JWT_CACHE_MAX) {
      const [oldest = ""] = verified.keys();
      verified.delete(oldest);
    }
    verified.set(digest, principal);
    return principal;
  }

  async #payloadOf(token: string): Promise<JWTPayload> {
    if (this.#jose === null) throw new Error("JWTs that were not loaded");
    const { issuer, audience, now } = this.#options;
    try {
      const { payload } = await this.#jose.verify(token, this.#jose.keys.find, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        requiredClaims: ["exp", "sub"],
        clockTolerance: JWT_CLOCK_TOLERANCE_S,
        currentDate: new Date(now()),
      });
      return payload;
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      throw invalidToken(faultOf((error as { code?: unknown }).code));
    }
  }
}

/** What a client may know: not which of its guesses came closer. */
function faultOf(code: unknown): string {
  if (code === "ERR_JWT_EXPIRED") return "It has expired.";
  if (code === "ERR_JWT_CLAIM_VALIDATION_FAILED") return "Its claims are not those expected here.";
  return "It is not known.";
}

/** @throws ProblemError `unauthenticated` */
function principalIn({ sub, exp, millrace }: JWTPayload): Principal {
  if (typeof sub !== "string" || sub === "" || sub.length > NAME_MAX_CHARS) {
    throw invalidToken(`Its claim sub is not 1 to ${NAME_MAX_CHARS} characters.`);
  }
  // Without the claim it is valid, and allows nothing.
  const scopes = scopesSchema.safeParse(millrace ?? []);
  if (!scopes.success) throw invalidToken("Its claim millrace is not a list of scopes.");
  return principalOf(`jwt:${sub}`, scopes.data, null, (Number(exp) + JWT_CLOCK_TOLERANCE_S) * 1000);
}
