/**
 * Watches how many dead letters the partitions have: for the metrics, and so that a partition with too many takes no more
 * writes. It is looked at each second; what is accepted meanwhile is parked beyond the bound.
 */
import type { LetterCount } from "../core/dead-letter.ts";
import { LETTERS_MAX, LETTERS_MAX_BYTES } from "../core/limits.ts";
import type { Service } from "../core/service.ts";
import type { Store } from "../core/store.ts";

const POLL_MS = 1000;

export class LetterCounts implements Service {
  readonly #store: Pick<Store, "letterCounts">;
  readonly #usable: () => boolean;
  readonly #onChange: (partition: number, full: boolean) => void;
  #last: readonly LetterCount[] = [];
  #timer: ReturnType<typeof setInterval> | null = null;
  #polling = false;

  /**
   * @param usable false while the store is away: it is not asked then
   * @param onChange told when a partition has become full, or is not any more
   */
  constructor(
    store: Pick<Store, "letterCounts">,
    usable: () => boolean,
    onChange: (partition: number, full: boolean) => void,
  ) {
    this.#store = store;
    this.#usable = usable;
    this.#onChange = onChange;
  }

  /** What was last seen, by partition; empty before anything was. */
  get last(): readonly LetterCount[] {
    return this.#last;
  }

  full(partition: number): boolean {
    const count = this.#last[partition];
    return count !== undefined && isFull(count);
  }

  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.poll(), POLL_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Looks now. Never rejects: what was last seen stands while the store is away. */
  async poll(): Promise<void> {
    if (this.#polling || !this.#usable()) return;
    this.#polling = true;
    try {
      const before = this.#last;
      this.#last = await this.#store.letterCounts();
      for (const [partition, count] of this.#last.entries()) {
        const was = before[partition];
        if (isFull(count) !== (was !== undefined && isFull(was))) this.#onChange(partition, isFull(count));
      }
    } catch {
      // The connection says what is wrong.
    }
    this.#polling = false;
  }
}

function isFull({ letters, bytes }: LetterCount): boolean {
  return letters >= LETTERS_MAX || bytes >= LETTERS_MAX_BYTES;
}
