/**
 * Watches how much of something each partition of the store has: for the metrics, and so that a partition with too much
 * takes no more of it. It is looked at each second; what is accepted meanwhile goes beyond the bound.
 */
import type { Service } from "../core/service.ts";

const POLL_MS = 1000;

export interface PolledCountsOptions<Count> {
  /** Counts of all partitions, in order. */
  readonly ask: () => Promise<readonly Count[]>;
  readonly isFull: (count: Count) => boolean;
  /** False while the store is away: it is not asked then. */
  readonly usable: () => boolean;
  /** Told when a partition has become full, or is not any more. */
  readonly onChange: (partition: number, full: boolean) => void;
}

export class PolledCounts<Count> implements Service {
  readonly #options: PolledCountsOptions<Count>;
  #last: readonly Count[] = [];
  #timer: ReturnType<typeof setInterval> | null = null;
  #polling = false;

  constructor(options: PolledCountsOptions<Count>) {
    this.#options = options;
  }

  /** What was last seen, by partition; empty before anything was. */
  get last(): readonly Count[] {
    return this.#last;
  }

  full(partition: number): boolean {
    const count = this.#last[partition];
    return count !== undefined && this.#options.isFull(count);
  }

  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.poll(), POLL_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Looks now. Never rejects: what was last seen stands while the store is away. */
  async poll(): Promise<void> {
    const { ask, isFull, usable, onChange } = this.#options;
    if (this.#polling || !usable()) return;
    this.#polling = true;
    try {
      const before = this.#last;
      this.#last = await ask();
      for (const [partition, count] of this.#last.entries()) {
        const was = before[partition];
        if (isFull(count) !== (was !== undefined && isFull(was))) onChange(partition, isFull(count));
      }
    } catch {
      // The connection says what is wrong.
    }
    this.#polling = false;
  }
}
