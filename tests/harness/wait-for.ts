import { setTimeout as sleep } from "node:timers/promises";

export interface WaitOptions {
  timeoutMs?: number;
  intervalMs?: number;
  /** What is waited for, for the message of a failure. */
  what?: string;
}

/**
 * Whoever waits for an event waits as long as the test may: a slow machine is no fault. It ends a little before the shortest
 * of the tests' timeouts (vitest.config.ts), so that what was waited for in vain is told.
 */
export const WAIT_MAX_MS = 25_000;

type Falsy = false | null | undefined | 0 | "";

/**
 * Repeats `check` until it returns something truthy, and returns that. A check that throws counts as "not yet"; its last
 * error is told when the time is over.
 */
export async function waitFor<T>(
  check: () => T | Promise<T>,
  { timeoutMs = WAIT_MAX_MS, intervalMs = 40, what = check.toString() }: WaitOptions = {},
): Promise<Exclude<T, Falsy>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  do {
    try {
      const value = await check();
      if (value) return value as Exclude<T, Falsy>;
      last = value;
    } catch (error) {
      last = error;
    }
    await sleep(intervalMs);
  } while (performance.now() < deadline);
  throw new Error(`waited ${timeoutMs} ms in vain for: ${what}\nlast seen: ${describe(last)}`, { cause: last });
}

function describe(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return JSON.stringify(value) ?? String(value);
}
