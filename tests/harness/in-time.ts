/** A bound on time that a loaded machine does not break: what is too slow by its nature is too slow each time. */

const ATTEMPTS_MAX = 5;

/**
 * Does something again until it was done within a bound, a few times at most, and returns what came of it then.
 * @param attempt it is told how often it was tried before
 * @param prepare done before each attempt, for as long as it takes
 */
export async function inTime<T>(
  boundMs: number,
  attempt: (before: number) => Promise<T>,
  prepare: (before: number) => Promise<void> = async () => undefined,
): Promise<T> {
  const tookMs: number[] = [];
  while (tookMs.length < ATTEMPTS_MAX) {
    await prepare(tookMs.length);
    const startMs = performance.now();
    const result = await attempt(tookMs.length);
    const ms = performance.now() - startMs;
    if (ms < boundMs) return result;
    tookMs.push(Math.round(ms));
  }
  throw new Error(`never done within ${boundMs} ms: ${tookMs.join(", ")} ms`);
}
