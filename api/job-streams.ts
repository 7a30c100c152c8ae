/**
 * The progress of jobs as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): the job as
 * it is, then as it is after each change, until it is finished. Whoever reads slowly misses what was in between, and
 * never the end. While the store is away only heartbeats are sent.
 */
import { OperatingError } from "../core/errors.ts";
import { isFinished } from "../core/job.ts";
import { JOB_STREAMS_MAX } from "../core/limits.ts";
import { pause } from "../core/pause.ts";
import { ProblemError } from "./errors.ts";
import { type ChangeDependencies, untilChanged } from "./job-changes.ts";
import { describeJob, type ReadJob } from "./jobs.ts";

/** Proxies close a connection that is silent for longer, often after 60 s. */
const HEARTBEAT_MS = 15_000;
const FAULT_PAUSE_MS = 500;
const HEARTBEAT = ": \n\n";

const encoder = new TextEncoder();

export class JobStreams {
  readonly #deps: ChangeDependencies;
  readonly #open = new Set<AbortController>();
  #stopped = false;

  constructor(deps: ChangeDependencies) {
    this.#deps = deps;
  }

  /** @throws OperatingError `overloaded` when so many are open already */
  open(first: ReadJob): ReadableStream<Uint8Array> {
    if (this.#stopped || this.#open.size >= JOB_STREAMS_MAX) {
      throw new OperatingError("overloaded", "too many jobs are followed");
    }
    const ending = new AbortController();
    this.#open.add(ending);
    let told: ReadJob | null = null;
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const next: ReadJob | null = told === null ? first : await this.#next(told, ending.signal);
        if (next !== null && next !== told) controller.enqueue(encoder.encode(eventOf(next)));
        else if (!ending.signal.aborted) controller.enqueue(encoder.encode(HEARTBEAT));
        if (next !== null) told = next;
        if (next !== null && !isFinished(next.job) && !ending.signal.aborted) return;
        this.#open.delete(ending);
        controller.close();
      },
      cancel: () => {
        ending.abort();
        this.#open.delete(ending);
      },
    });
  }

  /** Ends all of them, as if the connection were lost. */
  stop(): void {
    this.#stopped = true;
    for (const ending of this.#open) ending.abort();
  }

  /** The job when it has changed, or is to be told again; null when it is gone. */
  async #next(told: ReadJob, ending: AbortSignal): Promise<ReadJob | null> {
    try {
      return await untilChanged(this.#deps, told, this.#deps.now() + HEARTBEAT_MS, ending);
    } catch (error) {
      if (error instanceof ProblemError && error.slug === "job-not-found") return null;
      if (!(error instanceof ProblemError || error instanceof OperatingError)) throw error;
      await pause(FAULT_PAUSE_MS);
      return told;
    }
  }
}

function eventOf({ job, revision }: ReadJob): string {
  return `event: ${job.state}\nid: ${revision}\ndata: ${JSON.stringify(describeJob(job))}\n\n`;
}
