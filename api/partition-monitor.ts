/**
 * Watches how the partitions stand, from the positions of log and store and from what the owners say.
 */
import { type EntryId, formatRevision } from "../core/entry-id.ts";
import type { Log } from "../core/log.ts";
import { backlogOf, examine, isHalted, type PartitionState, type PartitionStateName } from "../core/partition-state.ts";
import type { Service } from "../core/service.ts";
import type { Store } from "../core/store.ts";

/** One element of `GET /v1/partitions`. */
export interface PartitionReport {
  readonly partition: number;
  /** Revision of the last command applied. */
  readonly watermark: string;
  /** Commands applied, as the log counts them. */
  readonly ordinal: number;
  /** Commands accepted. */
  readonly accepted: number;
  readonly backlog: number;
  /** Commands up to here may have been trimmed from the log. */
  readonly floor: EntryId;
  readonly owner: string | null;
  readonly state: PartitionStateName;
  readonly reason: string;
}

const POLL_MS = 1000;
const UNOWNED: PartitionState = { state: "held", reason: "no owner" };

export class PartitionMonitor implements Service {
  readonly #log: Log;
  readonly #store: Store;
  readonly #usable: () => boolean;
  #last: readonly PartitionReport[] = [];
  #timer: ReturnType<typeof setInterval> | null = null;
  #polling = false;

  /** @param usable false while a Redis is away: nothing is asked then */
  constructor(log: Log, store: Store, usable: () => boolean) {
    this.#log = log;
    this.#store = store;
    this.#usable = usable;
  }

  /** What was last seen; empty before anything was. */
  get last(): readonly PartitionReport[] {
    return this.#last;
  }

  lastState(partition: number): PartitionState | null {
    return this.#last[partition] ?? null;
  }

  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.#poll(), POLL_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
  }

  async report(): Promise<readonly PartitionReport[]> {
    const [watermarks, ownership] = await Promise.all([this.#store.watermarks(), this.#log.ownership()]);
    // After the watermarks: a log that is read later never seems to be behind a store.
    const positions = await this.#log.positions();
    this.#last = positions.map((position, partition) => {
      const watermark = watermarks[partition];
      if (watermark === undefined) throw new Error("fewer watermarks than partitions");
      const owner = ownership.owners.get(partition) ?? null;
      const verdict = examine(position, watermark);
      const told = owner === null ? UNOWNED : parseState(ownership.states.get(partition));
      return {
        partition,
        watermark: formatRevision(partition, watermark.id),
        ordinal: watermark.ordinal,
        accepted: position.ordinal,
        backlog: backlogOf(position, watermark),
        floor: position.floor,
        owner,
        ...(isHalted(verdict) ? verdict : told),
      };
    });
    return this.#last;
  }

  async #poll(): Promise<void> {
    if (this.#polling || !this.#usable()) return;
    this.#polling = true;
    try {
      await this.report();
    } catch {
      // The connections say what is wrong; what was last seen stands until they are back.
    }
    this.#polling = false;
  }
}

/** What the owner last said. */
function parseState(text: string | undefined): PartitionState {
  if (text === undefined) return { state: "held", reason: "just taken over" };
  const { state, reason } = JSON.parse(text) as PartitionState;
  return { state, reason };
}
