/**
 * Waiting for a job to change. What is applied in the reserved namespace's partition may be such a change; others' writes
 * are there, too, so it is looked at only so often.
 */
import { idAfter } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import { isFinished } from "../core/job.ts";
import { pause } from "../core/pause.ts";
import type { AppDependencies } from "./dependencies.ts";
import { type ReadJob, readJob } from "./jobs.ts";

export type ChangeDependencies = Pick<AppDependencies, "system" | "feed" | "floors" | "now">;

/** Two looks are at least so far apart. */
const LOOK_EVERY_MS = 100;
/** And at most so far, where it is not heard of anything. */
const LOOK_AT_LEAST_MS = 1000;

/**
 * Waits until a job is another one than it was, or the time is over.
 * @param gone ends the waiting
 * @returns how it is then
 * @throws ProblemError, OperatingError
 */
export async function untilChanged(
  deps: ChangeDependencies,
  before: ReadJob,
  deadlineMs: number,
  gone: AbortSignal,
): Promise<ReadJob> {
  for (;;) {
    const leftMs = deadlineMs - deps.now();
    if (leftMs <= 0 || gone.aborted) return before;
    await untilApplied(deps, Math.min(leftMs, LOOK_AT_LEAST_MS), gone);
    await pause(Math.min(leftMs, LOOK_EVERY_MS));
    const now = await readJob(deps, before.job.id);
    if (now.id !== before.id) return now;
  }
}

/** Waits until a job is finished, or the time is over. Throws as {@link untilChanged} does. */
export async function untilFinished(
  deps: ChangeDependencies,
  first: ReadJob,
  deadlineMs: number,
  gone: AbortSignal,
): Promise<ReadJob> {
  let now = first;
  while (!isFinished(now.job)) {
    const next = await untilChanged(deps, now, deadlineMs, gone);
    if (next === now) return now;
    now = next;
  }
  return now;
}

async function untilApplied(deps: ChangeDependencies, timeoutMs: number, gone: AbortSignal): Promise<void> {
  const { partition } = deps.system;
  try {
    await deps.feed.wait(partition, idAfter(deps.floors.floor(partition).id, 1), timeoutMs, gone);
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    // Too many wait already: it is looked at all the same.
    await pause(timeoutMs);
  }
}
