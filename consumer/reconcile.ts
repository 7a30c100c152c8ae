/**
 * Brings a log that went back into line with its store: a replica was promoted that lacked entries, or a restart lost the
 * log's end, and the store had applied them.
 *
 *   1 fence    the log takes no appends, and its next ids and ordinals are beyond the watermark
 *   2 move     what the store does not know (by producer and sequence) goes to the log's end, in order; what it knows and
 *              stands beyond the watermark goes; page by page
 *   3 unfence  the log takes appends again, and the worker catches up from the watermark
 *
 * A crash between any two steps leaves the fence standing, and whoever works the partition next begins again at 1: the
 * fence is taken over with its boundary, what was moved is beyond that, and the rest is judged anew. Two who do it at the
 * same time do the same. A log that had not gone back would come out with the same commands in the same order.
 */
import { decodeEntry } from "../core/codec.ts";
import { compareIds, type EntryId, idTimeMs } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import type { Watermark } from "../core/functions/apply.ts";
import type { Fence, Move, Reconciliation } from "../core/functions/reconcile.ts";
import { APPLY_BATCH_MAX_BYTES, OUTCOME_RETENTION_MS, PRODUCER_IDLE_MAX_MS } from "../core/limits.ts";
import type { Log, RawEntry } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import { ReadSize } from "./read-size.ts";

/** What the store remembers of what it has applied. */
export interface Knowledge {
  readonly watermark: Watermark;
  /** Each producer's last applied sequence. */
  readonly sequences: ReadonlyMap<string, number>;
  /** Entries that are no commands leave an outcome under their id: they were parked. */
  readonly parked: ReadonlySet<EntryId>;
}

/** `keep` history that the store has applied, `move` what it does not know, `drop` what it knows and is in the way. */
export type Judgement = { readonly kind: "keep" | "drop" } | ({ readonly kind: "move" } & Move);

/**
 * @returns what was done, or null when somebody else was faster: look again
 * @throws whatever Redis says; OperatingError `unsupported-version` when the log holds what only a newer process can judge
 */
export async function reconcile(
  log: Log,
  store: Store,
  partition: number,
  watermark: Watermark,
  era: number,
): Promise<Reconciliation | null> {
  const fence = await log.fence(partition, watermark, era);
  if (fence === null) return null;
  await store.announceJump(partition, watermark);
  const sequences = await store.sequences(partition);
  const readSize = new ReadSize();
  let from = fence.start;
  for (;;) {
    const page = await log.between(partition, from, fence.boundary, readSize.count);
    readSize.observe(page);
    const entries = page.filter(([id]) => id !== from);
    const last = entries.at(-1);
    if (last === undefined) return log.unfence(partition, fence);
    from = last[0];
    const parked = await parkedAmong(store, partition, entries);
    if (!(await settle(log, partition, fence, entries, { watermark, sequences, parked }))) return null;
  }
}

/** In calls that are bounded in commands and bytes. */
async function settle(
  log: Log,
  partition: number,
  fence: Fence,
  entries: readonly RawEntry[],
  knowledge: Knowledge,
): Promise<boolean> {
  let moves: Move[] = [];
  let drops: EntryId[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const judgement = judge(entry, knowledge);
    if (judgement.kind === "drop") drops.push(entry[0]);
    if (judgement.kind !== "move") continue;
    moves.push(judgement);
    bytes += entry[1].at(-1)?.byteLength ?? 0;
    if (bytes < APPLY_BATCH_MAX_BYTES) continue;
    if (!(await log.move(partition, fence, moves, drops))) return false;
    moves = [];
    drops = [];
    bytes = 0;
  }
  return moves.length + drops.length === 0 || log.move(partition, fence, moves, drops);
}

/** Pure. @throws OperatingError `unsupported-version` */
export function judge([id, fields]: RawEntry, { watermark, sequences, parked }: Knowledge): Judgement {
  const entry = decodeEntry(id, fields);
  if (entry.kind === "unsupported") {
    throw new OperatingError("unsupported-version", `the log holds a command of version ${entry.version}`);
  }
  const stamp = entry.kind === "command" ? entry.stamp : null;
  const ageMs = idTimeMs(watermark.id) - idTimeMs(id);
  const last = stamp === null ? undefined : sequences.get(stamp.producer);
  const known =
    stamp === null
      ? parked.has(id) || ageMs > OUTCOME_RETENTION_MS
      : // The store forgets producers that have been idle for so long.
        last === undefined
        ? ageMs > PRODUCER_IDLE_MAX_MS
        : stamp.sequence <= last;
  if (!known) return { kind: "move", id, stamp };
  return { kind: compareIds(id, watermark.id) > 0 ? "drop" : "keep" };
}

async function parkedAmong(
  store: Store,
  partition: number,
  entries: readonly RawEntry[],
): Promise<ReadonlySet<EntryId>> {
  const foreign = entries.filter(([id, fields]) => decodeEntry(id, fields).kind === "malformed");
  const outcomes = await Promise.all(foreign.map(([id]) => store.outcome(partition, id)));
  return new Set(foreign.flatMap(([id], index) => (outcomes[index] ? [id] : [])));
}
