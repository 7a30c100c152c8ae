/**
 * How old the oldest command is that a partition has accepted and not yet applied: what a backlog means for its clients.
 * Asked for when the monitor has seen a backlog; only the id travels, whose time is that of the log's clock.
 */
import { type EntryId, idTimeMs } from "../core/entry-id.ts";
import type { Watermark } from "../core/functions/apply.ts";
import type { Log } from "../core/log.ts";
import type { Series } from "../core/metrics-page.ts";

/** The monitor looks each second. Who was not seen for so long goes on ageing: nobody can say that it was applied. */
const STALE_MS = 5000;

interface Seen {
  readonly appendedMs: number;
  /** When that was so. */
  readonly atMs: number;
}

export class OldestUnapplied {
  readonly #log: Pick<Log, "oldestAfter">;
  readonly #now: () => number;
  /** By partition; null: nothing was unapplied. */
  readonly #seen = new Map<number, Seen | null>();
  readonly #looking = new Set<number>();

  /** @param now milliseconds since the epoch */
  constructor(log: Pick<Log, "oldestAfter">, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** Never rejects: what was last seen stands while the log is away. */
  async look(partition: number, watermark: Watermark, backlog: number): Promise<void> {
    if (backlog === 0) {
      this.#seen.set(partition, null);
      return;
    }
    if (this.#looking.has(partition)) return;
    this.#looking.add(partition);
    const id: EntryId | null | undefined = await this.#log.oldestAfter(partition, watermark.id).catch(() => undefined);
    this.#looking.delete(partition);
    if (id === undefined) return;
    this.#seen.set(partition, id === null ? null : { appendedMs: idTimeMs(id), atMs: this.#now() });
  }

  /** In seconds, by partition. */
  *ages(): Generator<Series<"partition"> extends Iterable<infer Each> ? Each : never> {
    const nowMs = this.#now();
    for (const [partition, seen] of this.#seen) yield [{ partition }, seen === null ? 0 : ageS(seen, nowMs)];
  }
}

/** Not below 0, whatever the clocks say. */
function ageS({ appendedMs, atMs }: Seen, nowMs: number): number {
  return Math.max(0, (nowMs - atMs > STALE_MS ? nowMs : atMs) - appendedMs) / 1000;
}
