/**
 * Decides whether a write may go to the log. Pure but for what it remembers: it asks nobody, and costs a write one look.
 *
 * Two bounds, each closed and opened again at different marks, so that it does not flap:
 *   backlog-full  a partition has too many commands that are accepted and not yet applied
 *   log-full      the log's memory is nearly used up
 * What it knows of the backlog: the ordinals that the log gave our own commands (they count everybody's), the watermarks
 * that the store broadcasts, and what the monitor sees. It may be passed by what is on its way when it closes, and by
 * no more. Where nothing is known of a partition's watermark (the store is away since before this process started), only
 * the log's memory bounds it. Between two looks at the memory every byte admitted counts as used.
 */
import {
  BACKLOG_READMIT_SHARE,
  LOG_ENTRY_OVERHEAD_BYTES,
  LOG_MEMORY_ADMIT_SHARE,
  LOG_MEMORY_READMIT_SHARE,
} from "../core/limits.ts";
import { type LogMemory, shareOf } from "../core/log-memory.ts";
import { ProblemError } from "./errors.ts";

export type Bound = "backlog-full" | "log-full";

export interface AdmissionOptions {
  readonly partitions: number;
  /** Commands of one partition that may be accepted and not yet applied. */
  readonly backlogMax: number;
  /** Told when a bound is reached, and when it is left. `partition` is null where all are meant. */
  readonly onChange: (bound: Bound, closed: boolean, partition: number | null) => void;
}

interface Lane {
  /** Ordinal of the newest command known to be in the log. */
  accepted: number;
  /** The newest that our own appends were told since the last report. */
  told: number;
  /** Ordinal of the watermark; NaN: not known. */
  applied: number;
  full: boolean;
}

const details = {
  "backlog-full": "Nothing was accepted. Too many commands of the key's partition are not yet applied.",
  "log-full": "Nothing was accepted. The log's memory is nearly used up.",
} as const satisfies Record<Bound, string>;

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #lanes: readonly Lane[];
  #logFull = false;
  /** What may be admitted until the memory is looked at again. */
  #budgetBytes = Number.POSITIVE_INFINITY;
  /** What was admitted since it was last looked at. */
  #admittedBytes = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: options.partitions }, () => ({
      accepted: 0,
      told: 0,
      applied: Number.NaN,
      full: false,
    }));
  }

  /**
   * @param valueBytes size of the value that the command brings
   * @throws ProblemError `log-full` or `backlog-full`: nothing was accepted
   */
  admit(partition: number, valueBytes: number): void {
    if (this.#logFull) throw new ProblemError("log-full", details["log-full"]);
    if (this.#lanes[partition]?.full) throw new ProblemError("backlog-full", details["backlog-full"]);
    this.#admittedBytes += valueBytes + LOG_ENTRY_OVERHEAD_BYTES;
    if (this.#admittedBytes > this.#budgetBytes) this.#setLogFull(true);
  }

  /** A group of ours is in the log: the ordinal of its last command. */
  accepted(partition: number, ordinal: number): void {
    const lane = this.#at(partition);
    if (ordinal > lane.told) lane.told = ordinal;
    if (ordinal <= lane.accepted) return;
    lane.accepted = ordinal;
    this.#judge(partition, lane);
  }

  /** The store has told its watermark. It may go back, when the store does. */
  applied(partition: number, ordinal: number): void {
    const lane = this.#at(partition);
    lane.applied = ordinal;
    this.#judge(partition, lane);
  }

  /**
   * Log and store were asked how they stand. The report is of a moment ago: what our own appends were told since the one
   * before is newer. What is older than that gives way to it: the log may have gone back.
   */
  reported(partition: number, acceptedOrdinal: number, appliedOrdinal: number): void {
    const lane = this.#at(partition);
    lane.accepted = Math.max(acceptedOrdinal, lane.told);
    lane.told = 0;
    lane.applied = appliedOrdinal;
    this.#judge(partition, lane);
  }

  /** The log's memory was looked at. What was admitted just before may not have been in it yet. */
  looked(memory: LogMemory): void {
    const admittedBytes = this.#admittedBytes;
    this.#admittedBytes = 0;
    this.#budgetBytes = LOG_MEMORY_ADMIT_SHARE * memory.limitBytes - memory.usedBytes - admittedBytes;
    const share = shareOf({ ...memory, usedBytes: memory.usedBytes + admittedBytes });
    this.#setLogFull(share >= (this.#logFull ? LOG_MEMORY_READMIT_SHARE : LOG_MEMORY_ADMIT_SHARE));
  }

  /** What refuses writes now. */
  closed(): readonly { readonly bound: Bound; readonly partition: number | null }[] {
    const backlogs = this.#lanes.flatMap(({ full }, partition) =>
      full ? [{ bound: "backlog-full", partition } as const] : [],
    );
    return this.#logFull ? [{ bound: "log-full", partition: null }, ...backlogs] : backlogs;
  }

  /** An unknown watermark (NaN) is at no bound. */
  #judge(partition: number, lane: Lane): void {
    const { backlogMax, onChange } = this.#options;
    const backlog = lane.accepted - lane.applied;
    const full = lane.full ? backlog > backlogMax * BACKLOG_READMIT_SHARE : backlog >= backlogMax;
    if (full === lane.full) return;
    lane.full = full;
    onChange("backlog-full", full, partition);
  }

  #setLogFull(full: boolean): void {
    if (full === this.#logFull) return;
    this.#logFull = full;
    this.#options.onChange("log-full", full, null);
  }

  #at(partition: number): Lane {
    const lane = this.#lanes[partition];
    if (lane === undefined) throw new Error(`no partition ${partition}`);
    return lane;
  }
}
