/**
 * The newest changes of one partition, read once for all who watch it in this process.
 *
 * It follows the store's watermark while anybody watches: the broadcast of the store wakes it, a poll covers a lost one. It
 * keeps so many changes; whoever is behind them reads by itself until it is not.
 */
import { compareIds } from "../../core/entry-id.ts";
import { OperatingError } from "../../core/errors.ts";
import { WATCH_POLL_MS } from "../../core/limits.ts";
import { SignalFlag } from "../../core/signal-flag.ts";
import type { Change } from "./changes.ts";
import type { PartitionReader } from "./partition-reader.ts";
import type { Cursor } from "./position.ts";

/** A Redis that is away is asked less and less often, but at least so often. */
const RETRY_MAX_MS = 1000;

export class PartitionTail {
  readonly #partition: number;
  readonly #reader: PartitionReader;
  readonly #recentMax: number;
  readonly #report: (error: unknown) => void;
  readonly #wake = new SignalFlag();
  readonly #watchers = new Set<() => void>();
  /** All changes after `#start`, up to `#head`, both of one era. */
  #recent: Change[] = [];
  #start: Cursor | null = null;
  #head: Cursor | null = null;
  /** Where the era before ended; who stands there is at the start of this one. */
  #before: Cursor | null = null;
  #following = false;

  /**
   * @param recentMax changes to keep
   * @param report told of errors that should not be
   */
  constructor(partition: number, reader: PartitionReader, recentMax: number, report: (error: unknown) => void) {
    this.#partition = partition;
    this.#reader = reader;
    this.#recentMax = recentMax;
    this.#report = report;
  }

  /** @param onMore called when there may be more to take @returns what ends it */
  watch(onMore: () => void): () => void {
    this.#watchers.add(onMore);
    if (!this.#following) void this.#follow();
    return () => {
      this.#watchers.delete(onMore);
      if (this.#watchers.size === 0) this.#wake.raise();
    };
  }

  /** The watermark has moved. */
  wake(): void {
    this.#wake.raise();
  }

  /**
   * Changes after a cursor, at most so many.
   * @returns null when they are not all here: read them. Where there are none, that is the cursor's place for now
   */
  after(cursor: Cursor, max: number): { readonly changes: readonly Change[]; readonly upTo: Cursor } | null {
    const [start, head] = [this.#start, this.#head];
    if (start === null || head === null) return null;
    const ended = this.#before;
    const atBoundary = ended !== null && cursor.place === 0 && cursor.era === ended.era && cursor.id === ended.id;
    if (cursor.era !== head.era && !atBoundary) return null;
    const fromStart = compareIds(cursor.id, start.id);
    if (fromStart < 0 || (fromStart === 0 && cursor.place > 0)) return null;
    // It has read by itself, and further.
    if (compareIds(cursor.id, head.id) > 0) return { changes: [], upTo: cursor };
    const from = this.#firstAfter(cursor);
    const changes = this.#recent.slice(from, from + max);
    const last = changes.at(-1);
    return { changes, upTo: last === undefined || from + max >= this.#recent.length ? head : cursorAfter(last, head) };
  }

  /** Never rejects. */
  async #follow(): Promise<void> {
    this.#following = true;
    let pauseMs = WATCH_POLL_MS;
    while (this.#watchers.size > 0) {
      try {
        const more = await this.#advance();
        pauseMs = WATCH_POLL_MS;
        if (more) for (const onMore of this.#watchers) onMore();
        else await this.#wake.wait(WATCH_POLL_MS);
      } catch (error) {
        // Of a Redis that is away the connections tell.
        if (!(error instanceof OperatingError)) this.#report(error);
        await this.#wake.wait(pauseMs);
        pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS);
      }
    }
    this.#forget();
    this.#following = false;
  }

  /** @returns false when there is nothing new */
  async #advance(): Promise<boolean> {
    if (this.#head === null) {
      this.#start = await this.#reader.now(this.#partition);
      this.#head = this.#start;
      return true;
    }
    const page = await this.#reader.read(this.#partition, this.#head);
    if (page.kind === "nothing") return false;
    // Whoever watches finds the same by reading, and is told.
    if (page.kind === "gone") this.#forget();
    else this.#take(page.changes, page.upTo);
    return true;
  }

  #take(changes: readonly Change[], upTo: Cursor): void {
    if (upTo.era !== this.#head?.era) {
      // What was read before belongs to another history, which ended at the head.
      this.#recent = [];
      this.#before = this.#head;
      this.#start = this.#head && { ...this.#head, era: upTo.era };
    }
    this.#head = upTo;
    for (const change of changes) this.#recent.push(change);
    const surplus = this.#recent.length - this.#recentMax;
    if (surplus <= 0) return;
    const dropped = this.#recent[surplus - 1];
    if (dropped) this.#start = cursorAfter(dropped, upTo);
    this.#recent.splice(0, surplus);
  }

  #forget(): void {
    this.#recent = [];
    this.#start = null;
    this.#head = null;
    this.#before = null;
  }

  /** Index of the first change that a cursor has not had. */
  #firstAfter(cursor: Cursor): number {
    let low = 0;
    let high = this.#recent.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const change = this.#recent[middle];
      if (change && isBehind(change, cursor)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where one is who has had this change, and everything before. */
export function cursorAfter({ id, place, last }: Change, { era }: Cursor): Cursor {
  return { id, place: last ? 0 : place, era };
}

/** Has the cursor had this change? */
function isBehind({ id, place }: Change, cursor: Cursor): boolean {
  const order = compareIds(id, cursor.id);
  return order < 0 || (order === 0 && (cursor.place === 0 || place <= cursor.place));
}
