/**
 * Jobs as they stand in the store, and changes to them by compare-and-set.
 */
import type { EntryId } from "../../core/entry-id.ts";
import { isFinished, type Job, parseJob } from "../../core/job.ts";
import { VALUE_MAX_BYTES } from "../../core/limits.ts";
import { SYSTEM_NAMESPACE } from "../../core/partition.ts";
import type { Store } from "../../core/store.ts";
import { JOBS_PREFIX, jobKey, systemPartition } from "../../core/system-keys.ts";
import type { JobCommand, JobCommands } from "./job-commands.ts";

/** A job at a revision. */
export interface HeldJob {
  readonly job: Job;
  readonly id: EntryId;
}

/** A finished job, which never changes again. */
export interface FinishedJob {
  readonly key: string;
  readonly id: EntryId;
  readonly finishedMs: number;
}

const PAGE = 100;
const PAGE_MAX_BYTES = 1024 * 1024;

export class JobBoard {
  readonly #store: Pick<Store, "list" | "read">;
  readonly #commands: Pick<JobCommands, "run">;
  readonly #partition: number;

  constructor(store: Pick<Store, "list" | "read">, commands: Pick<JobCommands, "run">, partitions: number) {
    this.#store = store;
    this.#commands = commands;
    this.#partition = systemPartition(partitions);
  }

  /** All of them, the youngest first. What is no job that this version can read is left out. */
  async all(): Promise<{ readonly open: readonly HeldJob[]; readonly finished: readonly FinishedJob[] }> {
    const open: HeldJob[] = [];
    const finished: FinishedJob[] = [];
    for (let after: Uint8Array | null = null; ; ) {
      const page = await this.#store.list(this.#partition, SYSTEM_NAMESPACE, {
        prefix: Buffer.from(JOBS_PREFIX),
        after,
        nowMs: 0,
        keys: PAGE,
        members: PAGE,
        bytes: PAGE_MAX_BYTES,
        wholeMaxBytes: VALUE_MAX_BYTES,
      });
      for (const { key, stored } of page.keys) {
        const job = parseJob(parseJson(stored.value));
        if (job === null) continue;
        if (!isFinished(job)) open.push({ job, id: stored.id });
        else finished.push({ key: String(key), id: stored.id, finishedMs: Date.parse(job.finishedAt ?? "") || 0 });
      }
      if (page.reached === null) return { open, finished };
      after = page.reached;
    }
  }

  /** @returns null when there is no such job */
  async read(id: string): Promise<HeldJob | null> {
    const { stored } = await this.#store.read(this.#partition, SYSTEM_NAMESPACE, jobKey(id));
    const job = stored && parseJob(parseJson(stored.value));
    return job && { job, id: stored.id };
  }

  /** Writes a job that stands at a revision. @returns null when it stands at another one now */
  async change(before: HeldJob, job: Job, check: () => Promise<void>): Promise<HeldJob | null> {
    const value = Buffer.from(JSON.stringify(job));
    const [done] = await this.#run(
      [
        {
          key: jobKey(job.id),
          operation: { op: "put", contentType: "application/json", value },
          condition: { kind: "match", id: before.id },
        },
      ],
      check,
    );
    return done?.result.outcome === "applied" ? { job, id: done.id } : null;
  }

  async remove(jobs: readonly FinishedJob[], check: () => Promise<void>): Promise<void> {
    await this.#run(
      jobs.map(({ key, id }) => ({ key, operation: { op: "delete" }, condition: { kind: "match", id } })),
      check,
    );
  }

  #run(commands: readonly JobCommand[], check: () => Promise<void>) {
    return this.#commands.run(this.#partition, SYSTEM_NAMESPACE, commands, check);
  }
}

function parseJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(String(Buffer.from(value)));
  } catch {
    return undefined;
  }
}
