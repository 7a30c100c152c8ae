/**
 * Tells of a fault that goes on, the louder the longer: most are over before anybody could look, and a loop that tries
 * again ten times a second must not fill the log.
 *
 * The first time at info, or at debug where another line tells of the same; after {@link WARN_AFTER_MS} at warn; after {@link ERROR_AFTER_MS} at error, and again each
 * {@link REPEAT_MS}. What comes between is told at debug. When it is over, that is told too, where there was a warning.
 */
import type { Logger } from "pino";

const WARN_AFTER_MS = 2_000;
const ERROR_AFTER_MS = 30_000;
const REPEAT_MS = 60_000;

type First = "debug" | "info";
type Level = First | "warn" | "error";

interface Episode {
  readonly sinceMs: number;
  faults: number;
  told: Level;
  toldMs: number;
}

export class FaultLog {
  readonly #logger: Logger;
  readonly #first: First;
  readonly #now: () => number;
  #episode: Episode | null = null;

  /** @param now milliseconds that never go back */
  constructor(logger: Logger, first: First = "info", now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#first = first;
    this.#now = now;
  }

  /** It is there, or still there. */
  fault(about: Readonly<Record<string, unknown>>, message: string): void {
    const nowMs = this.#now();
    if (this.#episode === null) {
      this.#episode = { sinceMs: nowMs, faults: 1, told: this.#first, toldMs: nowMs };
      this.#logger[this.#first](about, message);
      return;
    }
    const episode = this.#episode;
    episode.faults += 1;
    const forMs = nowMs - episode.sinceMs;
    const level = this.#levelAfter(forMs);
    if (level === episode.told && (level !== "error" || nowMs - episode.toldMs < REPEAT_MS)) {
      this.#logger.debug(about, message);
      return;
    }
    episode.told = level;
    episode.toldMs = nowMs;
    this.#logger[level]({ ...about, ...measure(episode, nowMs) }, message);
  }

  /** It went well: what was there is over. Says nothing, and costs nothing, where nothing was there. */
  over(about: Readonly<Record<string, unknown>>, message: string): void {
    if (this.#episode === null) return;
    const episode = this.#episode;
    this.#episode = null;
    const level = episode.told === this.#first ? "debug" : "info";
    this.#logger[level]({ ...about, ...measure(episode, this.#now()) }, message);
  }

  #levelAfter(forMs: number): Level {
    if (forMs >= ERROR_AFTER_MS) return "error";
    return forMs >= WARN_AFTER_MS ? "warn" : this.#first;
  }
}

function measure({ sinceMs, faults }: Episode, nowMs: number): { faults: number; forS: number } {
  return { faults, forS: Math.round((nowMs - sinceMs) / 100) / 10 };
}
