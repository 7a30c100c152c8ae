/** A client that goes on counting whatever happens, and knows in the end what must be there. */
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../harness/wait-for.ts";

const COUNTERS = 8;
const REQUEST_MAX_MS = 12_000;

export interface Counting {
  /** Waits until each counter was acknowledged once more, begun after this call. */
  goesOn(what: string): Promise<void>;
  /** Returns when nothing is under way. */
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
  /** What was acknowledged and is not there, or is there twice. */
  faults(): Promise<string[]>;
  readonly acknowledged: number;
}

/** One request after the other on each counter, under idempotency keys: it repeats what it does not know the outcome of. */
export function startCounting(urlNow: () => string): Counting {
  const counts = Array.from({ length: COUNTERS }, () => 0);
  let stopped = false;
  let paused = false;
  let idle = 0;
  const pathOf = (counter: number): string => `/v1/kv/pods/counter-${counter}`;
  const send = async (path: string, init: RequestInit): Promise<Response | null> => {
    try {
      return await fetch(`${urlNow()}${path}`, { ...init, signal: AbortSignal.timeout(REQUEST_MAX_MS) });
    } catch {
      return null;
    }
  };
  const loops = counts.map(async (_, counter) => {
    while (!stopped) {
      if (paused) {
        idle += 1;
        while (paused) await sleep(10);
        idle -= 1;
      }
      const key = `${counter}-${counts[counter]}`;
      const headers = { prefer: "wait=10", "idempotency-key": key };
      const answer = await send(`${pathOf(counter)}?increment=1`, { method: "POST", headers });
      await answer?.arrayBuffer().catch(() => undefined);
      if (answer?.ok) counts[counter] = (counts[counter] ?? 0) + 1;
      else await sleep(50);
    }
  });
  return {
    get acknowledged() {
      return counts.reduce((sum, count) => sum + count, 0);
    },
    goesOn: async (what) => {
      // The next one may have begun before.
      const goal = counts.map((count) => count + 2);
      await waitFor(() => counts.every((count, counter) => count >= (goal[counter] ?? 0)), {
        timeoutMs: 60_000,
        what: `counting goes on after: ${what}`,
      });
    },
    pause: async () => {
      paused = true;
      await waitFor(() => idle === COUNTERS, { timeoutMs: 60_000, what: "nobody counts" });
    },
    resume: () => {
      paused = false;
    },
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
    },
    faults: async () => {
      const faults: string[] = [];
      for (const [counter, count] of counts.entries()) {
        let there = Number.NaN;
        const right = async (): Promise<boolean> => {
          const answer = await send(pathOf(counter), {});
          there = Number(await answer?.text());
          // The last one may have been counted and not acknowledged.
          return answer?.status === 200 && (there === count || there === count + 1);
        };
        // What was only accepted (202) is applied in a moment.
        await waitFor(right, { timeoutMs: 20_000, intervalMs: 100 }).catch(() =>
          faults.push(`counter ${counter}: ${there} there, ${count} acknowledged`),
        );
      }
      return faults;
    },
  };
}
