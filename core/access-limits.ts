/**
 * The bounds of letting callers in: tokens, JWTs and rates. As in limits.ts: unit last, and the reason.
 */

/** A tokens file is read whole, each time it changes. */
export const TOKENS_FILE_MAX_BYTES = 1024 * 1024;

/** How often a tokens file is looked at: what was revoked is let in no longer than this. */
export const TOKENS_FILE_LOOK_MS = 1000;

/** How often an answer that goes on and on asks whether its token still allows it. */
export const STREAM_RECHECK_MS = 1000;

/** Characters of a credential: a JWT with many scopes stays below, and headers as a whole end at 16 KiB. */
export const CREDENTIAL_MAX_CHARS = 8192;

/** Verified JWTs that are remembered, so that a signature is checked once and not at each request; some 1 KiB each. */
export const JWT_CACHE_MAX = 10_000;

/** How far the clock of whoever issues JWTs may be from ours. */
export const JWT_CLOCK_TOLERANCE_S = 5;

/** How long the keys that JWTs are verified with may take to be fetched: a request waits for it. */
export const JWKS_TIMEOUT_MS = 2_000;

/** They are fetched at most this often, whatever is asked for: a JWT with an invented key must not cost a fetch each. */
export const JWKS_COOLDOWN_MS = 2_000;

/** After this long they are fetched anew beside what goes on: what was revoked must not be believed for long. */
export const JWKS_REFRESH_MS = 5 * 60 * 1000;

/** And after this long without a fetch that succeeded they are not believed any more. */
export const JWKS_STALE_MAX_MS = 60 * 60 * 1000;

export const JWKS_MAX_BYTES = 1024 * 1024;

/** Longest window of a rate limit: whoever was counted is remembered for so long. */
export const RATE_LIMIT_WINDOW_MAX_S = 3600;

/** How long a request may wait for the shared count before it is counted by its own process alone. */
export const RATE_LIMIT_WAIT_MS = 100;
