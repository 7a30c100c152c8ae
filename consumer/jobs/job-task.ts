/**
 * Works one job to its end, for as long as this process may.
 *
 *   take     its name into `runner`, by compare-and-set. Crash: the next owner takes it
 *   step     a bounded piece of the work, applied. Crash: not recorded; the step is done again, which is harmless
 *   record   progress, by compare-and-set. Crash: the next step, by whoever takes it
 *   end      the state, by compare-and-set. Crash before: nothing is left to do, and the next owner finds that out
 *
 * A compare-and-set that fails says that somebody else wrote: a cancellation, another runner, or a write of our own
 * whose answer was lost. So it is read again; only in the last case does it go on. Two runners at once therefore do
 * the same steps for a moment, and the loser stops at its next record.
 */
import type { Logger } from "pino";
import { describeError, OperatingError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import { pause } from "../../core/pause.ts";
import type { HeldJob, JobBoard } from "./job-board.ts";
import { Interrupted, type JobTools, type JobType } from "./job-type.ts";

export interface TaskDependencies {
  readonly board: Pick<JobBoard, "read" | "change">;
  readonly tools: Omit<JobTools, "check">;
  readonly types: ReadonlyMap<string, JobType>;
  /** Unique to this process. */
  readonly runner: string;
  /** False as soon as this process must not go on: it stops, or the partition is another's. */
  readonly mayGoOn: () => boolean;
  /** False while the log has no room: users' writes come first. */
  readonly hasRoom: () => boolean;
  readonly logger: Logger;
  readonly now: () => number;
}

/** How it ended here. `lost`: another runner has it, or it is gone. */
export type TaskEnd = "done" | "failed" | "cancelled" | "lost" | "stopped";

const WAITING_PAUSE_MS = 250;
const FAULT_PAUSE_MIN_MS = 100;
const FAULT_PAUSE_MAX_MS = 2000;
/** So often it is looked whether the job was cancelled while something is waited for. */
const LOOK_EVERY_MS = 500;

export class JobTask {
  readonly #deps: TaskDependencies;
  readonly #type: JobType;
  #held: HeldJob;
  #lookedMs = performance.now();

  constructor(deps: TaskDependencies, type: JobType, held: HeldJob) {
    this.#deps = deps;
    this.#type = type;
    this.#held = held;
  }

  async run(): Promise<TaskEnd> {
    const { mayGoOn, logger } = this.#deps;
    let pauseMs = FAULT_PAUSE_MIN_MS;
    while (mayGoOn()) {
      try {
        const end = this.#isMine() ? await this.#step() : await this.#take();
        if (end !== null) return end;
        pauseMs = FAULT_PAUSE_MIN_MS;
      } catch (error) {
        if (!(error instanceof Interrupted) && !(error instanceof OperatingError)) {
          logger.error({ job: this.#held.job.id, error: describeError(error) }, "unexpected error in a job");
          await this.#end("failed", "an unexpected error: see the consumer's log").catch(() => null);
        }
        // A Redis that is away: the pause, then again. Whatever else it was is told by the job as it stands now.
        const end = await this.#lookAgain().catch(() => null);
        if (end !== null) return end;
        await pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, FAULT_PAUSE_MAX_MS);
      }
    }
    return "stopped";
  }

  #isMine(): boolean {
    const { state, runner } = this.#held.job;
    return state === "running" && runner === this.#deps.runner;
  }

  async #take(): Promise<TaskEnd | null> {
    const { runner, logger, now } = this.#deps;
    const { job } = this.#held;
    const startedAt = job.startedAt ?? new Date(now()).toISOString();
    if (!(await this.#change({ ...job, state: "running", runner, startedAt }))) return this.#lookAgain();
    logger.info({ job: job.id, type: job.type, before: job.runner, progress: summary(job) }, "job runs");
    return null;
  }

  /** @returns null to go on */
  async #step(): Promise<TaskEnd | null> {
    const { tools, hasRoom } = this.#deps;
    if (!hasRoom()) return this.#idle();
    const { job } = this.#held;
    const step = await this.#type.step(job, { ...tools, check: () => this.#check() });
    switch (step.kind) {
      case "waiting":
        return this.#idle();
      case "failed":
        return this.#end("failed", step.reason);
      case "going":
        return (await this.#change({ ...job, progress: step.progress })) ? null : this.#lookAgain();
      case "done":
        return this.#end("done", null, step.progress);
    }
  }

  async #idle(): Promise<TaskEnd | null> {
    await pause(WAITING_PAUSE_MS);
    return this.#lookAgain();
  }

  async #end(state: "done" | "failed", reason: string | null, progress = this.#held.job.progress) {
    const { logger, now } = this.#deps;
    const job: Job = { ...this.#held.job, state, reason, progress, finishedAt: new Date(now()).toISOString() };
    if (!(await this.#change(job))) return this.#lookAgain();
    logger.info({ job: job.id, type: job.type, reason, progress: summary(job) }, `job ${state}`);
    return state;
  }

  /** @returns false when it is not as it was any more */
  async #change(job: Job): Promise<boolean> {
    const changed = await this.#deps.board.change(this.#held, job, async () => this.#expectMay());
    if (changed) this.#held = changed;
    return changed !== null;
  }

  /** @returns null when it is ours to go on with, or to take */
  async #lookAgain(): Promise<TaskEnd | null> {
    const { board, runner, mayGoOn } = this.#deps;
    if (!mayGoOn()) return "stopped";
    const before = this.#held.job;
    const held = await board.read(before.id);
    if (held === null) return "lost";
    this.#held = held;
    const { job } = held;
    if (job.state === "queued") return null;
    if (job.state !== "running") return job.state;
    return job.runner === runner || job.runner === before.runner ? null : "lost";
  }

  /** @throws Interrupted */
  async #check(): Promise<void> {
    this.#expectMay();
    if (performance.now() - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = performance.now();
    const held = await this.#deps.board.read(this.#held.job.id);
    if (held?.id !== this.#held.id) throw new Interrupted();
  }

  #expectMay(): void {
    if (!this.#deps.mayGoOn()) throw new Interrupted();
  }
}

/** Counts only: keys are nobody's business in a log. */
function summary({ progress }: Job): Record<string, unknown> {
  return Object.fromEntries(Object.entries(progress).filter(([, value]) => typeof value === "number"));
}
