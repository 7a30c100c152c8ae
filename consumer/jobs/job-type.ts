/**
 * What a type of job is to the runner. A new type is one more file, and its line in job-types.ts.
 */
import type { Job } from "../../core/job.ts";
import type { Store } from "../../core/store.ts";
import type { JobCommands } from "./job-commands.ts";

export interface JobTools {
  readonly partitions: number;
  readonly store: Pick<Store, "list" | "read" | "watermark">;
  readonly commands: Pick<JobCommands, "run">;
  /** To be called while something is waited for. @throws Interrupted when the job must not go on */
  readonly check: () => Promise<void>;
}

/** What came of a step. */
export type Step =
  | { readonly kind: "going" | "done"; readonly progress: Job["progress"] }
  /** Nothing could be done now. */
  | { readonly kind: "waiting" }
  | { readonly kind: "failed"; readonly reason: string };

export interface JobType {
  readonly type: string;
  /**
   * Does a bounded piece of the work from what is recorded. A crash may come before its progress is recorded, and two
   * runners may do the same step: doing it again must be harmless.
   */
  readonly step: (job: Job, tools: JobTools) => Promise<Step>;
}

/** The job was cancelled, is another runner's now, or this process stops. */
export class Interrupted extends Error {
  constructor() {
    super("the job is not ours to go on with");
    this.name = "Interrupted";
  }
}
