/**
 * Runs jobs: those of the consumer that owns the reserved namespace's partition, a few at a time, the oldest first.
 *
 * It looks at them when it has taken the partition over, when something has been applied there, and each few seconds. Finished
 * ones are removed when they are too old or too many.
 */
import type { Logger } from "pino";
import { describeError } from "../../core/errors.ts";
import { FaultLog } from "../../core/fault-log.ts";
import { JOB_RETENTION_MS, JOBS_AT_ONCE_MAX, JOBS_FINISHED_MAX } from "../../core/limits.ts";
import type { Service } from "../../core/service.ts";
import { SignalFlag } from "../../core/signal-flag.ts";
import type { FinishedJob, HeldJob, JobBoard } from "./job-board.ts";
import { JobTask, type TaskDependencies, type TaskEnd } from "./job-task.ts";

export interface RunnerDependencies extends Omit<TaskDependencies, "board" | "mayGoOn"> {
  readonly board: Pick<JobBoard, "all" | "read" | "change" | "remove">;
  /** How many commands are applied in the reserved namespace's partition; null while it is another consumer's. */
  readonly applied: () => number | null;
  readonly logger: Logger;
}

const TICK_MS = 100;
/** Two looks are at least so far apart: under load something is applied all the time. */
const LOOK_MIN_MS = 500;
const LOOK_MAX_MS = 5000;
/** A job that another runner took from us is not taken back at once: one of the two is about to learn who the owner is. */
const LOST_PAUSE_MS = 5000;
const REMOVED_AT_ONCE = 100;

export class JobRunner implements Service {
  readonly #deps: RunnerDependencies;
  readonly #faults: FaultLog;
  readonly #tasks = new Map<string, Promise<void>>();
  /** Jobs not to be taken before that time. */
  readonly #lost = new Map<string, number>();
  /** Jobs that ended here, by how. */
  readonly ended = new Map<TaskEnd, number>();
  readonly #stopped = new SignalFlag();
  #stopping = false;
  #done: Promise<void> | null = null;
  /** What was applied when it last looked; null: it has not looked since it took over. */
  #seen: number | null = null;
  #lookedMs = 0;

  constructor(deps: RunnerDependencies) {
    this.#deps = deps;
    this.#faults = new FaultLog(deps.logger, "debug");
  }

  /** Jobs that it works on now. */
  get running(): number {
    return this.#tasks.size;
  }

  async start(): Promise<void> {
    this.#done ??= this.#run();
  }

  /** Jobs stop after the step in hand; the next owner goes on. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopped.raise();
    await this.#done;
    await Promise.all(this.#tasks.values());
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      if (this.#isDue()) {
        this.#lookedMs = performance.now();
        try {
          this.#seen = this.#deps.applied();
          await this.#look();
          this.#faults.over({}, "jobs are looked at again");
        } catch (error) {
          this.#seen = null;
          this.#faults.fault({ error: describeError(error) }, "jobs were not looked at");
        }
      }
      await this.#stopped.wait(TICK_MS);
    }
  }

  #isDue(): boolean {
    const applied = this.#deps.applied();
    if (applied === null) {
      this.#seen = null;
      return false;
    }
    const sinceMs = performance.now() - this.#lookedMs;
    return sinceMs > LOOK_MAX_MS || (sinceMs > LOOK_MIN_MS && applied !== this.#seen);
  }

  async #look(): Promise<void> {
    const { open, finished } = await this.#deps.board.all();
    for (const held of open.toReversed()) {
      if (this.#tasks.size >= JOBS_AT_ONCE_MAX || !this.#mayGoOn()) break;
      this.#begin(held);
    }
    const old = expired(finished, this.#deps.now());
    for (let at = 0; at < old.length && this.#mayGoOn(); at += REMOVED_AT_ONCE) {
      await this.#deps.board.remove(old.slice(at, at + REMOVED_AT_ONCE), async () => {
        if (!this.#mayGoOn()) throw new Error("stopping");
      });
    }
  }

  #begin(held: HeldJob): void {
    const { id, type: name } = held.job;
    const { types } = this.#deps;
    const type = types.get(name);
    // A newer process made it, and another of its kind will own the partition.
    if (type === undefined || this.#tasks.has(id) || (this.#lost.get(id) ?? 0) > performance.now()) return;
    const task = new JobTask({ ...this.#deps, mayGoOn: () => this.#mayGoOn() }, type, held);
    const running = task.run().then(
      (end) => this.#ended(id, end),
      (error: unknown) =>
        this.#deps.logger.error({ job: id, error: describeError(error) }, "unexpected error in a job"),
    );
    this.#tasks.set(
      id,
      running.finally(() => this.#tasks.delete(id)),
    );
  }

  #ended(id: string, end: TaskEnd): void {
    this.ended.set(end, (this.ended.get(end) ?? 0) + 1);
    this.#lost.delete(id);
    if (end === "lost") this.#lost.set(id, performance.now() + LOST_PAUSE_MS);
    // There may be one that waits for its place.
    this.#seen = null;
  }

  #mayGoOn(): boolean {
    return !this.#stopping && this.#deps.applied() !== null;
  }
}

/** Finished jobs that are too old, or one too many. Pure. @param finished the youngest first */
export function expired(finished: readonly FinishedJob[], nowMs: number): FinishedJob[] {
  return finished.filter(({ finishedMs }, at) => at >= JOBS_FINISHED_MAX || finishedMs < nowMs - JOB_RETENTION_MS);
}
