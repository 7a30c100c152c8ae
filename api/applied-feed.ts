/**
 * Knows how far each partition is applied, and releases whoever waits for that.
 *
 * It hears the broadcast that follows every batch; where somebody waits and nothing was heard, it asks the store. A
 * result that is broadcast before its waiter has registered (the command was applied before the append's answer came
 * back) is kept for some seconds.
 */
import type { Result } from "../core/command.ts";
import { compareIds, type EntryId, ID_ZERO } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import { type AppliedMessage, parseAppliedMessage, WATERMARK_ZERO, type Watermark } from "../core/functions/apply.ts";
import { WAITERS_MAX } from "../core/limits.ts";

/** What became of waiting: the watermark has passed the id (with the result, where it was broadcast), or time is over. */
export type Passed = { readonly passed: true; readonly result?: Result } | { readonly passed: false };

export interface AppliedSource {
  watermark(partition: number): Promise<Watermark>;
}

interface Waiter {
  readonly id: EntryId;
  readonly deadlineMs: number;
  readonly release: (passed: Passed) => void;
  done: boolean;
}

interface Partition {
  readonly partition: number;
  watermark: EntryId;
  /** The highest watermark that was served or heard of. */
  floor: Watermark;
  /** Ordered by id, oldest first. */
  waiters: Waiter[];
  /** Results that nobody has asked for yet, of now and of the keep time before. */
  results: Map<EntryId, Result>;
  olderResults: Map<EntryId, Result>;
  heard: boolean;
  asking: boolean;
  /** What the store said at the last look, while nothing was heard since. */
  asked: Watermark | null;
}

/** How often time-outs are looked for, and silent partitions asked after. */
const SWEEP_MS = 50;
const RESULTS_KEEP_MS = 3000;
/** Results kept for one partition: others' waiters are among them, because everybody hears every broadcast. */
const RESULTS_MAX = 20_000;

export class AppliedFeed {
  readonly #source: AppliedSource;
  readonly #partitions: readonly Partition[];
  #waiting = 0;
  #stopped = false;
  #sweeper: ReturnType<typeof setInterval> | null = null;
  #rotatedMs = performance.now();

  constructor(source: AppliedSource, partitions: number) {
    this.#source = source;
    this.#partitions = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      watermark: ID_ZERO,
      floor: WATERMARK_ZERO,
      waiters: [],
      results: new Map(),
      olderResults: new Map(),
      heard: false,
      asking: false,
      asked: null,
    }));
  }

  /** Requests that wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  start(): void {
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS);
  }

  /** Releases whoever waits, as if the time were over; from now on nobody waits. */
  stop(): void {
    this.#stopped = true;
    if (this.#sweeper) clearInterval(this.#sweeper);
    for (const state of this.#partitions) this.#releaseAll(state);
  }

  /**
   * A broadcast of the store. Anything that is not ours is ignored: the store is asked anyway.
   * @returns the watermark that it told
   */
  hear(partition: number, text: string): Watermark | null {
    let message: AppliedMessage;
    try {
      message = parseAppliedMessage(text);
    } catch {
      return null;
    }
    const state = this.#at(partition);
    state.heard = true;
    state.asked = null;
    for (const [id, result] of message.results) if (state.results.size < RESULTS_MAX) state.results.set(id, result);
    if (message.jump) this.#releaseAll(state);
    this.#moveTo(state, message.watermark);
    return message.watermark;
  }

  /** The highest watermark of a partition that was served or heard of. A read below it would be a step back in time. */
  floor(partition: number): Watermark {
    return this.#at(partition).floor;
  }

  /** May what was read at this watermark be served? False when more was served before: the store went back. */
  admit(partition: number, watermark: Watermark): boolean {
    const state = this.#at(partition);
    if (watermark.ordinal >= state.floor.ordinal) {
      state.floor = watermark;
      return true;
    }
    this.#moveTo(state, watermark);
    return false;
  }

  /** Somebody has got so far. */
  raise(partition: number, watermark: Watermark): void {
    const state = this.#at(partition);
    if (watermark.ordinal > state.floor.ordinal) state.floor = watermark;
  }

  /** What was served is gone for good: nobody need wait for it. */
  lower(partition: number, watermark: Watermark): void {
    this.#at(partition).floor = watermark;
  }

  /**
   * Waits until the partition's watermark has reached the id.
   * @param gone ends the waiting early: nobody is there any more to be told
   * @throws OperatingError `overloaded` when too many wait already
   */
  async wait(partition: number, id: EntryId, timeoutMs: number, gone?: AbortSignal): Promise<Passed> {
    const state = this.#at(partition);
    const known = resultOf(state, id);
    if (known) return { passed: true, result: known };
    if (compareIds(id, state.watermark) <= 0) return { passed: true };
    if (this.#stopped || gone?.aborted) return { passed: false };
    if (this.#waiting >= WAITERS_MAX) throw new OperatingError("overloaded", "too many requests wait");
    return new Promise((release) => {
      const waiter: Waiter = { id, deadlineMs: performance.now() + timeoutMs, release, done: false };
      insert(state.waiters, waiter);
      this.#waiting += 1;
      gone?.addEventListener("abort", () => this.#release(waiter, { passed: false }), { once: true });
    });
  }

  #moveTo(state: Partition, reached: Watermark): void {
    const { id: watermark } = reached;
    // It may go back, when the store does; then it is passed again later, and nobody is released twice.
    state.watermark = watermark;
    if (reached.ordinal > state.floor.ordinal) state.floor = reached;
    const { waiters } = state;
    let passed = 0;
    for (const waiter of waiters) {
      if (compareIds(waiter.id, watermark) > 0) break;
      passed += 1;
      if (waiter.done) continue;
      const result = resultOf(state, waiter.id);
      this.#release(waiter, result ? { passed: true, result } : { passed: true });
    }
    if (passed > 0) waiters.splice(0, passed);
  }

  /** As if the time were over. */
  #releaseAll({ waiters }: Partition): void {
    for (const waiter of waiters) this.#release(waiter, { passed: false });
  }

  #release(waiter: Waiter, passed: Passed): void {
    if (waiter.done) return;
    waiter.done = true;
    this.#waiting -= 1;
    waiter.release(passed);
  }

  #sweep(): void {
    const nowMs = performance.now();
    const rotate = nowMs - this.#rotatedMs > RESULTS_KEEP_MS;
    if (rotate) this.#rotatedMs = nowMs;
    for (const state of this.#partitions) {
      if (rotate && state.results.size + state.olderResults.size > 0) {
        state.olderResults = state.results;
        state.results = new Map();
      }
      if (state.waiters.length === 0) continue;
      for (const waiter of state.waiters) if (waiter.deadlineMs <= nowMs) this.#release(waiter, { passed: false });
      state.waiters = state.waiters.filter(({ done }) => !done);
      if (state.waiters.length > 0 && !state.heard && !state.asking) this.#ask(state);
      if (state.waiters.length === 0) state.asked = null;
      state.heard = false;
    }
  }

  /**
   * The store may answer sooner than the broadcast of the same batch arrives, which alone tells results. So whoever waits
   * is released by what it said one look before, when nothing was heard since: then the broadcast is lost.
   */
  #ask(state: Partition): void {
    const before = state.asked;
    state.asking = true;
    this.#source
      .watermark(state.partition)
      .then(
        (watermark) => {
          if (before !== null && state.asked === before) this.#moveTo(state, before);
          if (!state.heard) state.asked = watermark;
        },
        // The store is away: whoever waits is told when the time is over.
        () => undefined,
      )
      .finally(() => {
        state.asking = false;
      });
  }

  #at(partition: number): Partition {
    const state = this.#partitions[partition];
    if (state === undefined) throw new Error(`no partition ${partition}`);
    return state;
  }
}

/** Keeps the waiters ordered. Mostly it is the newest id; a look from the end would be long behind revisions of the future. */
function insert(waiters: Waiter[], waiter: Waiter): void {
  let low = 0;
  let high = waiters.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareIds(waiters[middle]?.id ?? ID_ZERO, waiter.id) <= 0) low = middle + 1;
    else high = middle;
  }
  waiters.splice(low, 0, waiter);
}

/** Kept after it was told: a status request may wait for the same command. */
function resultOf(state: Partition, id: EntryId): Result | undefined {
  return state.results.get(id) ?? state.olderResults.get(id);
}
