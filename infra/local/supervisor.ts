/** Keeps one process running: starts it again when it ends by itself, later and later while it keeps ending. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "./child.ts";

export interface SupervisorOptions {
  name: string;
  /** Starts the process, tells of it at once by `spawned`, and returns when it is of use. On a failure it ends it. */
  start: (spawned: (child: Child) => void) => Promise<void>;
  say: (line: string) => void;
  delays?: { firstMs: number; longestMs: number };
}

export interface Supervisor {
  /** Resolves when the process is of use, rejects when its first start fails: then it is not tried again. */
  readonly started: Promise<void>;
  /** SIGTERM, and SIGKILL to what is still there after `graceMs`. It is not started again. */
  stop(graceMs: number): Promise<void>;
  /** SIGKILL. It is not started again. */
  kill(): void;
}

const DELAYS = { firstMs: 500, longestMs: 15_000 };
/** One that ran this long did start well: the next delay is the first again. */
const STEADY_MS = 10_000;

export function superviseProcess({ name, start, say, delays = DELAYS }: SupervisorOptions): Supervisor {
  const stopping = new AbortController();
  let ending: NodeJS.Signals = "SIGTERM";
  let child: Child | undefined;
  const spawned = (next: Child): void => {
    child = next;
    if (stopping.signal.aborted) next.signal(ending);
  };

  const keepRunning = async (): Promise<void> => {
    let delayMs = delays.firstMs;
    for (;;) {
      const startedAt = performance.now();
      await child?.exited;
      if (stopping.signal.aborted) return;
      if (performance.now() - startedAt > STEADY_MS) delayMs = delays.firstMs;
      say(`!!! ${name} ended by itself; starting it again in ${delayMs} ms`);
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      delayMs = Math.min(delayMs * 2, delays.longestMs);
      try {
        await start(spawned);
        say(`!!! ${name} runs again`);
      } catch (error) {
        if (!stopping.signal.aborted) say(`!!! ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };

  const started = start(spawned);
  const done = started.then(keepRunning, () => undefined);
  return {
    started,
    stop: async (graceMs) => {
      stopping.abort();
      await child?.stop(graceMs);
      await done;
    },
    kill: () => {
      ending = "SIGKILL";
      stopping.abort();
      child?.signal(ending);
    },
  };
}
