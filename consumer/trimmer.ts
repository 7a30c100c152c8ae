/**
 * Trims the logs of the partitions this consumer works: only what the store, and those of its replicas that might become
 * master, have applied; and only what is older than the retention window, or too much, or stands in the way of new writes.
 *
 * Under pressure (the log's memory is filling up) the oldest quarter of what is kept goes, again and again, until there is
 * room: history must never be the reason that a write is refused. What was applied just now stays even so, because a
 * store that is killed may come back without it.
 */
import type { Logger } from "pino";
import { compareIds, type EntryId, idTimeMs } from "../core/entry-id.ts";
import { describeError } from "../core/errors.ts";
import { FaultLog } from "../core/fault-log.ts";
import type { Watermark } from "../core/functions/apply.ts";
import { LOG_MEMORY_TRIM_SHARE, LOG_MEMORY_TRIMMED_SHARE, TRIM_SETTLE_MS } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { type LogMemory, shareOf } from "../core/log-memory.ts";
import type { Service } from "../core/service.ts";
import type { Store } from "../core/store.ts";
import type { Counters } from "./counters.ts";

export interface TrimmerOptions {
  /** Entries younger than this stay: what a store that came back older may be healed from. */
  readonly retentionMs: number;
  /** More applied entries than this, per partition, are trimmed before their time. */
  readonly maxEntries: number;
  readonly everyMs: number;
}

export interface TrimmerDependencies {
  readonly log: Log;
  readonly store: Store;
  readonly logger: Logger;
  readonly counters: Counters;
  /** Partitions this consumer works now. */
  readonly owned: () => Iterable<number>;
}

/** A watermark that the store's replicas had confirmed, and when: by this process' own steady clock. */
export interface Sample extends Watermark {
  readonly seenMs: number;
}

/** Watermarks seen in the past, oldest first: they tell which id a count of entries reaches back to. */
const SAMPLES_MAX = 1000;
/** Two of them are at least so far apart, but for the newest. */
const SAMPLE_EVERY_MS = 1000;
/** What goes at once under pressure. */
const PRESSURE_SHARE = 0.25;

export class Trimmer implements Service {
  readonly #deps: TrimmerDependencies;
  readonly #faults: FaultLog;
  readonly #options: TrimmerOptions;
  readonly #samples = new Map<number, Sample[]>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #pressed = false;
  #stopped = false;

  constructor(deps: TrimmerDependencies, options: TrimmerOptions) {
    this.#deps = deps;
    this.#faults = new FaultLog(deps.logger, "debug");
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#timer ??= setInterval(() => this.#trimAll(), this.#options.everyMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#running;
  }

  /** The log's memory was looked at. */
  looked(memory: LogMemory): void {
    const pressed = shareOf(memory) >= (this.#pressed ? LOG_MEMORY_TRIMMED_SHARE : LOG_MEMORY_TRIM_SHARE);
    if (pressed !== this.#pressed) {
      this.#pressed = pressed;
      if (pressed) this.#deps.logger.warn(memory, "the log's memory fills up: applied entries go before their time");
      else this.#deps.logger.info(memory, "the log has room again: applied entries stay for their time");
    }
    if (pressed) this.#trimAll();
  }

  #trimAll(): void {
    if (this.#stopped) return;
    this.#running ??= this.#trimOwned().finally(() => {
      this.#running = null;
    });
  }

  async #trimOwned(): Promise<void> {
    const owned = new Set(this.#deps.owned());
    for (const partition of this.#samples.keys()) if (!owned.has(partition)) this.#samples.delete(partition);
    let wrong = false;
    for (const partition of owned) {
      try {
        await this.#trim(partition);
      } catch (error) {
        wrong = true;
        this.#faults.fault({ partition, error: describeError(error) }, "not trimmed");
      }
    }
    if (!wrong && owned.size > 0) this.#faults.over({}, "the log is trimmed again");
  }

  async #trim(partition: number): Promise<void> {
    const { log, store, counters } = this.#deps;
    const watermark = await store.confirmedWatermark(partition);
    if (watermark === null) return;
    const samples = this.#samples.get(partition) ?? [];
    this.#samples.set(partition, samples);
    keepSample(samples, { ...watermark, seenMs: performance.now() });
    const position = await log.position(partition);
    const byRetention = trimPoint(samples, position.lastId, this.#options);
    const settled = this.#pressed ? settledSample(samples, performance.now()) : null;
    const first = settled === null ? undefined : (await log.range(partition, position.floor, 1))[0]?.[0];
    const byPressure = settled === null || first === undefined ? null : pressurePoint(settled, first);
    const upTo = later(byRetention, byPressure);
    if (upTo === null || compareIds(upTo, position.floor) <= 0) return;
    const trimmed = await log.trim(partition, upTo);
    counters.trimmed += trimmed;
    if (upTo !== byRetention) counters.trimmedEarly += trimmed;
  }
}

/**
 * Adds the present watermark. Those beyond it are forgotten: the store went back, and has them no longer for long enough.
 * Under pressure there are many looks; most of them take the place of the one before.
 */
export function keepSample(samples: Sample[], present: Sample): void {
  while ((samples.at(-1)?.ordinal ?? 0) > present.ordinal) samples.pop();
  const before = samples.at(-2);
  if (before !== undefined && present.seenMs - before.seenMs < SAMPLE_EVERY_MS) samples.pop();
  samples.push(present);
  if (samples.length > SAMPLES_MAX) samples.shift();
}

/**
 * Up to which entry the log may go: the newest that is behind the watermark and too old or one too many. Pure.
 * Time is the log's own: ids, not this machine's clock.
 * @param samples watermarks, oldest first, the present one last
 */
export function trimPoint(
  samples: readonly Watermark[],
  lastId: EntryId,
  options: Pick<TrimmerOptions, "retentionMs" | "maxEntries">,
): EntryId | null {
  const watermark = samples.at(-1);
  if (!watermark || watermark.ordinal === 0) return null;
  const oldestKeptMs = idTimeMs(lastId) - options.retentionMs;
  const byAge: EntryId | null = oldestKeptMs > 0 ? `${oldestKeptMs - 1}-0` : null;
  const byCount = samples.findLast((sample) => sample.ordinal <= watermark.ordinal - options.maxEntries)?.id ?? null;
  const wanted = later(byAge, byCount);
  if (wanted === null) return null;
  return compareIds(wanted, watermark.id) < 0 ? wanted : watermark.id;
}

/**
 * The newest sample that was applied long enough ago. Pure. Not by the log's time, which stands still while no write is
 * taken.
 * @param samples oldest first
 */
export function settledSample(samples: readonly Sample[], nowMs: number): Sample | null {
  return samples.findLast(({ ordinal, seenMs }) => ordinal > 0 && seenMs <= nowMs - TRIM_SETTLE_MS) ?? null;
}

/**
 * Up to which entry the log goes under pressure: over the oldest quarter of the time up to the settled sample; where that
 * is no time at all, up to the sample. Pure.
 * @param first the oldest entry that the log holds
 */
export function pressurePoint(settled: Sample, first: EntryId): EntryId {
  const fromMs = idTimeMs(first);
  const partMs = Math.floor((idTimeMs(settled.id) - fromMs) * PRESSURE_SHARE);
  return partMs > 0 ? `${fromMs + partMs}-0` : settled.id;
}

function later(a: EntryId | null, b: EntryId | null): EntryId | null {
  if (a === null || b === null) return a ?? b;
  return compareIds(a, b) >= 0 ? a : b;
}
