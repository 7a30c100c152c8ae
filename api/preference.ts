/**
 * The Prefer header (RFC 7240), as far as we know it: `wait=<seconds>` and `respond-async`. Pure.
 */
import { WAIT_MAX_S } from "../core/limits.ts";

export interface Preference {
  /** Seconds to hold the answer for the real result; 0: answer as soon as the write is accepted. */
  readonly waitS: number;
  /** What to say in Preference-Applied, or empty. */
  readonly applied: string;
}

const NO_PREFERENCE: Preference = { waitS: 0, applied: "" };
const WAIT_PATTERN = /^wait\s*=\s*"?(\d{1,9})"?$/i;

/**
 * Preferences that cannot be read are as if they were not there (RFC 7240, section 2). With both, `wait` is how long to
 * wait before responding asynchronously (section 4.3), which is what `wait` alone does here anyway. The first `wait`
 * counts.
 * @param defaultWaitS how long to wait when the client has no preference: nothing of it is told as applied then
 */
export function parsePreference(header: string | null, defaultWaitS = 0): Preference {
  const none = defaultWaitS === 0 ? NO_PREFERENCE : { waitS: defaultWaitS, applied: "" };
  if (header === null) return none;
  let wait: number | null = null;
  let async = false;
  for (const part of header.split(",")) {
    const preference = part.split(";", 1)[0]?.trim() ?? "";
    const match = WAIT_PATTERN.exec(preference);
    if (match) wait ??= Math.min(Number(match[1]), WAIT_MAX_S);
    else if (preference.toLowerCase() === "respond-async") async = true;
  }
  if (wait !== null) return { waitS: wait, applied: `wait=${wait}` };
  return async ? { waitS: 0, applied: "respond-async" } : none;
}
