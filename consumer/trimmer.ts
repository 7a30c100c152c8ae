/**
 * Trims the logs of the partitions this consumer works: only what the store, and those of its replicas that might become
 * master, have applied; and only what is older than the retention window, or too much.
 */
import type { Logger } from "pino";
import { compareIds, type EntryId, idTimeMs } from "../core/entry-id.ts";
import { describeError } from "../core/errors.ts";
import type { Watermark } from "../core/functions/apply.ts";
import type { Log } from "../core/log.ts";
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

/** Watermarks seen in the past, oldest first: they tell which id a count of entries reaches back to. */
const SAMPLES_MAX = 1000;

export class Trimmer implements Service {
  readonly #deps: TrimmerDependencies;
  readonly #options: TrimmerOptions;
  readonly #samples = new Map<number, Watermark[]>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;

  constructor(deps: TrimmerDependencies, options: TrimmerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      this.#running ??= this.#trimAll().finally(() => {
        this.#running = null;
      });
    }, this.#options.everyMs);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#running;
  }

  async #trimAll(): Promise<void> {
    const owned = new Set(this.#deps.owned());
    for (const partition of this.#samples.keys()) if (!owned.has(partition)) this.#samples.delete(partition);
    for (const partition of owned) {
      try {
        await this.#trim(partition);
      } catch (error) {
        this.#deps.logger.debug({ partition, error: describeError(error) }, "not trimmed");
      }
    }
  }

  async #trim(partition: number): Promise<void> {
    const { log, store, counters } = this.#deps;
    const watermark = await store.confirmedWatermark(partition);
    if (watermark === null) return;
    const samples = this.#samples.get(partition) ?? [];
    this.#samples.set(partition, samples);
    samples.push(watermark);
    if (samples.length > SAMPLES_MAX) samples.shift();
    const position = await log.position(partition);
    const upTo = trimPoint(samples, position.lastId, this.#options);
    if (upTo === null || compareIds(upTo, position.floor) <= 0) return;
    counters.trimmed += await log.trim(partition, upTo);
  }
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
  const wanted = [byAge, byCount]
    .filter((id) => id !== null)
    .sort(compareIds)
    .at(-1);
  if (wanted === undefined) return null;
  return compareIds(wanted, watermark.id) < 0 ? wanted : watermark.id;
}
