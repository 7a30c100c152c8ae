/**
 * The public keys that JWTs are verified with, from their issuer (JWKS, RFC 7517).
 *
 * Kept, and fetched anew when a JWT names a key that is not among them, and every few minutes: so keys can be changed without
 * a word to us. While the issuer does not answer, the keys that are known go on being used for a while; what takes another
 * one cannot be judged, and is not called wrong. At most one fetch at a time, and not more often than each few seconds.
 */
import type { createLocalJWKSet, JWTVerifyGetKey } from "jose";
import {
  JWKS_COOLDOWN_MS,
  JWKS_MAX_BYTES,
  JWKS_REFRESH_MS,
  JWKS_STALE_MAX_MS,
  JWKS_TIMEOUT_MS,
} from "../core/access-limits.ts";
import { ProblemError } from "./errors.ts";

export interface KeySetOptions {
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told when other keys were fetched than before. */
  readonly onChange: () => void;
  /** Told why a fetch failed. */
  readonly onFault: (reason: string) => void;
  readonly parse: typeof createLocalJWKSet;
}

export class KeySet {
  readonly #options: KeySetOptions;
  #keys: JWTVerifyGetKey | null = null;
  #text = "";
  #fetchedMs = Number.NEGATIVE_INFINITY;
  #failedMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<boolean> | null = null;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** Are the keys too old to believe what they once verified? Those that are getting old are fetched anew meanwhile. */
  isStale(): boolean {
    const ageMs = this.#options.now() - this.#fetchedMs;
    if (ageMs > JWKS_REFRESH_MS) void this.#fetch();
    return ageMs > JWKS_STALE_MAX_MS;
  }

  /**
   * As jose asks for a key.
   * @throws ProblemError `keys-unavailable`; what jose throws where there is no such key
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.isStale()) await this.#insist();
    try {
      return await this.#known(header, token);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ERR_JWKS_NO_MATCHING_KEY" || this.#isFresh()) throw error;
      await this.#insist();
      return this.#known(header, token);
    }
  };

  #known(header: Parameters<JWTVerifyGetKey>[0], token: Parameters<JWTVerifyGetKey>[1]): ReturnType<JWTVerifyGetKey> {
    if (this.#keys === null) throw new ProblemError("keys-unavailable");
    return this.#keys(header, token);
  }

  /** What was fetched just now is the truth: who names another key is wrong. */
  #isFresh(): boolean {
    return this.#options.now() - this.#fetchedMs < JWKS_COOLDOWN_MS;
  }

  async #insist(): Promise<void> {
    if (!(await this.#fetch())) throw new ProblemError("keys-unavailable", "Who issued it does not answer.");
  }

  /** @returns false when it failed, or has just failed */
  async #fetch(): Promise<boolean> {
    if (this.#options.now() - this.#failedMs < JWKS_COOLDOWN_MS) return false;
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<boolean> {
    const { url, now, onChange, onFault, parse } = this.#options;
    try {
      const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(JWKS_TIMEOUT_MS) });
      if (response.status !== 200) throw new Error(`it answered ${response.status}`);
      const text = await textOf(response);
      if (text !== this.#text) {
        this.#keys = parse(JSON.parse(text));
        this.#text = text;
        onChange();
      }
      this.#fetchedMs = now();
      return true;
    } catch (error) {
      this.#failedMs = now();
      onFault(error instanceof Error ? error.message : String(error));
      return false;
    }
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > JWKS_MAX_BYTES) throw new Error("it is too long");
  }
  return text;
}
