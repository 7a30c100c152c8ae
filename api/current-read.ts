/**
 * Reads that are as new as they have to be.
 *
 * With a minimum revision the answer is at least as new as that: what is read and its watermark come in one call, and only
 * that call is trusted. Without it, too, the answer is never older than what this process has served or heard of: where
 * the store went back, the read waits a little for it to be healed, and is refused else. A read of a replica keeps only
 * the minimum revision, where one is given.
 */
import { compareIds, type EntryId, formatRevision } from "../core/entry-id.ts";
import type { Watermark } from "../core/functions/apply.ts";
import { MIN_REVISION_WAIT_MS, RECOVERY_WAIT_MS } from "../core/limits.ts";
import { pause } from "../core/pause.ts";
import type { AppDependencies } from "./dependencies.ts";
import { ProblemError, type ProblemSlug } from "./errors.ts";
import type { Incoming } from "./exchange.ts";
import { parsePreference } from "./preference.ts";

/** A store that went back is behind what the feed has heard until it is healed: no reason to ask it without a pause. */
const REREAD_PAUSE_MS = 25;

export interface Currency {
  readonly partition: number;
  /** What is read must be at least as new; null: nothing is asked for. */
  readonly least: EntryId | null;
  /** What this process has served before does not matter. */
  readonly replica: boolean;
}

/**
 * @param read repeated until it is new enough
 * @throws ProblemError `revision-not-reached` or `partition-recovering` when it is not in time
 */
export async function readCurrent<R extends { readonly watermark: Watermark }>(
  deps: AppDependencies,
  incoming: Incoming,
  { partition, least, replica }: Currency,
  read: () => Promise<R>,
): Promise<R> {
  const reading = least === null ? await read() : await readAtLeast(deps, incoming, read, partition, notReached(least));
  if (replica || deps.floors.admit(partition, reading.watermark)) return reading;
  return await readAtLeast(deps, incoming, read, partition, wentBack(deps.floors.floor(partition).id));
}

/** What a read must reach, and what it means when it does not. */
interface Least {
  readonly id: EntryId;
  readonly waitMs: number;
  readonly problem: ProblemSlug;
}

const notReached = (id: EntryId): Least => ({ id, waitMs: MIN_REVISION_WAIT_MS, problem: "revision-not-reached" });
const wentBack = (id: EntryId): Least => ({ id, waitMs: RECOVERY_WAIT_MS, problem: "partition-recovering" });

async function readAtLeast<R extends { readonly watermark: Watermark }>(
  deps: AppDependencies,
  incoming: Incoming,
  read: () => Promise<R>,
  partition: number,
  least: Least,
): Promise<R> {
  const { waitS, applied } = parsePreference(incoming.header("prefer"));
  const deadlineMs = deps.now() + (applied.startsWith("wait") ? waitS * 1000 : least.waitMs);
  for (let reads = 0; ; reads++) {
    if (reads > 1) await pause(REREAD_PAUSE_MS);
    const reading = await read();
    if (compareIds(reading.watermark.id, least.id) >= 0) return reading;
    const leftMs = deadlineMs - deps.now();
    const passed = leftMs > 0 && (await deps.feed.wait(partition, least.id, leftMs, incoming.gone)).passed;
    if (!passed) {
      const at = formatRevision(partition, reading.watermark.id);
      throw new ProblemError(least.problem, `The store is at ${at}.`);
    }
  }
}
