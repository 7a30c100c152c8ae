/**
 * Watches how the partitions stand, from the positions of log and store and from what the owners say; and keeps what may be
 * served in step with it: what an owner has reached, clients may have seen through another process.
 */
import { type EntryId, formatRevision } from "../core/entry-id.ts";
import type { LogPosition } from "../core/functions/append.ts";
import type { Watermark } from "../core/functions/apply.ts";
import type { Log } from "../core/log.ts";
import {
  backlogOf,
  examine,
  isHalted,
  type OwnerWord,
  type PartitionState,
  type PartitionStateName,
  parseOwnerWord,
} from "../core/partition-state.ts";
import type { Service } from "../core/service.ts";
import type { Store } from "../core/store.ts";
import type { AppliedFeed } from "./applied-feed.ts";

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
  /** The last time the log had gone back: where the store was, and how many commands the log lacked and got again. */
  readonly reconciled?: { readonly at: string; readonly lost: number; readonly reappended: number };
}

export interface MonitorDependencies {
  readonly log: Log;
  readonly store: Store;
  readonly floors: Pick<AppliedFeed, "floor" | "raise" | "lower">;
  /** False while a Redis is away: nothing is asked then. */
  readonly usable: () => boolean;
  /** False while it is not sure that the connections lead to the masters: then a log or a store may only seem to be behind. */
  readonly settled: () => boolean;
  /** Told when commands that were served are gone for good: nothing can bring the store there again. */
  readonly onUnreachable: (partition: number, served: Watermark, watermark: Watermark) => void;
  /** Told at each look how far a partition's store is, and how many commands are accepted beyond it. */
  readonly onSeen: (partition: number, watermark: Watermark, backlog: number) => void;
  /** Told when a partition has come into another state. */
  readonly onState: (state: PartitionStateName) => void;
}

const POLL_MS = 1000;
/** An owner notices within its own look and lease that the store went back: that long its word may be an old one. */
const UNREACHABLE_AFTER_MS = 5000;
const UNOWNED: OwnerWord = { state: "held", reason: "no owner", reached: null };
const TAKEN_OVER: OwnerWord = { state: "held", reason: "just taken over", reached: null };

export class PartitionMonitor implements Service {
  readonly #deps: MonitorDependencies;
  /** Since when a partition was up to date, and yet behind what was served. */
  readonly #behind = new Map<number, number>();
  #last: readonly PartitionReport[] = [];
  #timer: ReturnType<typeof setInterval> | null = null;
  #polling = false;

  constructor(deps: MonitorDependencies) {
    this.#deps = deps;
  }

  /** What was last seen; empty before anything was. */
  get last(): readonly PartitionReport[] {
    return this.#last;
  }

  lastState(partition: number): PartitionState | null {
    return this.#last[partition] ?? null;
  }

  async start(): Promise<void> {
    this.#timer ??= setInterval(() => this.look(), POLL_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Looks now, unless it is looking already. */
  look(): void {
    if (this.#polling || !this.#deps.usable()) return;
    this.#polling = true;
    this.report()
      // The connections say what is wrong; what was last seen stands until they are back.
      .catch(() => undefined)
      .finally(() => {
        this.#polling = false;
      });
  }

  async report(): Promise<readonly PartitionReport[]> {
    const { log, store, floors } = this.#deps;
    // Before the watermarks: a store that is then found below has gone back.
    const served = this.#last.map(({ partition }) => floors.floor(partition));
    const [watermarks, ownership] = await Promise.all([store.watermarks(), log.ownership()]);
    // After the watermarks: a log that is read later never seems to be behind a store.
    const positions = await log.positions();
    const before = this.#last;
    this.#last = await Promise.all(
      positions.map(async (position, partition) => {
        const seen = watermarks[partition];
        if (seen === undefined) throw new Error("fewer watermarks than partitions");
        // The log may have been trimmed since: then the store is further, too.
        const watermark = examine(position, seen).state === "lost-base" ? await store.watermark(partition) : seen;
        const owner = ownership.owners.get(partition) ?? null;
        const word = owner === null ? UNOWNED : (parseOwnerWord(ownership.states.get(partition) ?? "") ?? TAKEN_OVER);
        return describe(partition, position, watermark, owner, word, this.#deps.settled());
      }),
    );
    for (const report of this.#last) {
      const word = parseOwnerWord(ownership.states.get(report.partition) ?? "");
      const watermark = watermarks[report.partition];
      if (watermark) this.#keepFloor(report, watermark, served[report.partition] ?? watermark, word?.reached ?? null);
      if (watermark) this.#deps.onSeen(report.partition, watermark, report.backlog);
      if (before[report.partition]?.state !== report.state) this.#deps.onState(report.state);
    }
    return this.#last;
  }

  /**
   * What the owner has reached may have been served. Where the owner says that all is well and nothing is left to apply,
   * and the store stays behind what was served, log and store have both lost it: waiting would be for ever.
   */
  #keepFloor(
    { partition, state, backlog }: PartitionReport,
    watermark: Watermark,
    served: Watermark,
    reached: Watermark | null,
  ): void {
    const { floors, onUnreachable } = this.#deps;
    if (state === "stopped") {
      // An operator has had the store go back to look at it: what was served later is not waited for.
      this.#behind.delete(partition);
      floors.lower(partition, watermark);
      return;
    }
    if (reached) floors.raise(partition, reached);
    floors.raise(partition, watermark);
    if (state !== "ok" || backlog > 0 || watermark.ordinal >= served.ordinal || !this.#deps.settled()) {
      this.#behind.delete(partition);
      return;
    }
    const sinceMs = this.#behind.get(partition) ?? performance.now();
    this.#behind.set(partition, sinceMs);
    if (performance.now() - sinceMs < UNREACHABLE_AFTER_MS) return;
    this.#behind.delete(partition);
    onUnreachable(partition, served, watermark);
    floors.lower(partition, watermark);
  }
}

function describe(
  partition: number,
  position: LogPosition,
  watermark: Watermark,
  owner: string | null,
  word: OwnerWord,
  settled: boolean,
): PartitionReport {
  const verdict = settled ? examine(position, watermark) : word;
  const { state, reason } = isHalted(verdict) ? verdict : word;
  const { reconciled } = position;
  return {
    partition,
    watermark: formatRevision(partition, watermark.id),
    ordinal: watermark.ordinal,
    accepted: position.ordinal,
    backlog: backlogOf(position, watermark),
    floor: position.floor,
    owner,
    state,
    reason,
    ...(reconciled && {
      reconciled: {
        at: formatRevision(partition, reconciled.watermark.id),
        lost: reconciled.lost,
        reappended: reconciled.reappended,
      },
    }),
  };
}
