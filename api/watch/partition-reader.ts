/**
 * Reads what has changed in a partition after a position.
 *
 * Order of the two reads: first, in one call, the store's watermark and what it has noted of the commands up to it; then,
 * confirmed, the log up to that watermark. So nothing is told that is not applied, and nothing without its outcome. The log
 * is believed only where it holds the very command that the store applied last: then its history up to there is the store's
 * (see consumer/log-match.ts). A log that lags behind, is being brought into line, or is another one by mistake is waited for.
 * What is missing in a log that is right is told as gone, and never skipped.
 */
import { compareIds, type EntryId, ID_ZERO, idTimeMs } from "../../core/entry-id.ts";
import type { Watermark } from "../../core/functions/apply.ts";
import type { HeaderPage } from "../../core/functions/read-headers.ts";
import type { OutcomePage } from "../../core/functions/watch-reads.ts";
import { OUTCOME_RETENTION_MS, WATCH_PAGE_MAX_BYTES, WATCH_PAGE_MAX_ENTRIES } from "../../core/limits.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../core/store.ts";
import { type Change, changesOf } from "./changes.ts";
import type { Cursor } from "./position.ts";

export type Page =
  /** In order; none where nothing of it has changed a key. It ends at the cursor. */
  | { readonly kind: "changes"; readonly changes: readonly Change[]; readonly upTo: Cursor }
  /** There is nothing after the cursor yet, or it cannot be told now. */
  | { readonly kind: "nothing" }
  /** Something after the cursor is not there any more, or what is before it has become something else. */
  | { readonly kind: "gone"; readonly restart: Cursor };

export interface ReaderDependencies {
  readonly log: Pick<Log, "headers" | "confirmedPosition">;
  readonly store: Pick<Store, "outcomes">;
}

/** Outcomes are forgotten by the time of the log's newest command: a little earlier we do not begin any more. */
const FORGETTING_MARGIN_MS = 10 * 60 * 1000;

export class PartitionReader {
  readonly #deps: ReaderDependencies;

  constructor(deps: ReaderDependencies) {
    this.#deps = deps;
  }

  /** Where the next change will be. @throws OperatingError when log or store is away */
  async now(partition: number): Promise<Cursor> {
    // In this order: a log that goes back in between makes the cursor an old one, and not the other way round.
    const { watermark, losses } = await this.#outcomes(partition, ID_ZERO, 1);
    const { era } = await this.#deps.log.confirmedPosition(partition);
    return { id: watermark.id, place: 0, era: era + losses, ordinal: watermark.ordinal };
  }

  /** Before the first change that can still be told. @throws OperatingError when log or store is away */
  async oldest(partition: number): Promise<Cursor> {
    const { watermark, losses } = await this.#outcomes(partition, ID_ZERO, 1);
    const { floor, era } = await this.#deps.log.confirmedPosition(partition);
    return restartAt(floor, watermark.id, era + losses);
  }

  /**
   * The oldest position to go on from where this one is not to be had any more; null where it is, or where that cannot be
   * told now. @throws OperatingError when log or store is away
   */
  async lost(partition: number, cursor: Cursor): Promise<Cursor | null> {
    const page = await this.read(partition, cursor, 1);
    return page.kind === "gone" ? page.restart : null;
  }

  /** @throws OperatingError when log or store is away */
  async read(partition: number, cursor: Cursor, entries = WATCH_PAGE_MAX_ENTRIES): Promise<Page> {
    // One more: there may be one of the cursor's own.
    const judged = await this.#outcomes(partition, cursor.id, entries + 1);
    const { watermark, through } = judged;
    // The store went back: what it has applied again was told.
    const ahead = compareIds(through, cursor.id);
    if (ahead < 0 || (ahead === 0 && cursor.place === 0)) return { kind: "nothing" };
    const head = await this.#deps.log.headers(partition, {
      after: cursor.id,
      to: through,
      watermark: watermark.id,
      entries,
      bytes: WATCH_PAGE_MAX_BYTES,
    });
    return join(cursor, judged, head);
  }

  #outcomes(partition: number, from: EntryId, count: number): Promise<OutcomePage> {
    return this.#deps.store.outcomes(partition, from, count);
  }
}

/** Pure. Of what the store says, and of what the log says after that. */
export function join(cursor: Cursor, judged: OutcomePage, head: HeaderPage): Page {
  const { watermark, outcomes, through } = judged;
  const era = head.era + judged.losses;
  if (head.fenced) return { kind: "nothing" };
  const gone: Page = { kind: "gone", restart: restartAt(head.floor, watermark.id, era) };
  if (compareIds(cursor.id, head.floor) < 0) return gone;
  // A log that was brought into line goes on behind that watermark as if nothing had been: who was just there missed nothing.
  if (cursor.era !== era && cursor.id !== head.reconciled?.watermark.id) return gone;
  if (!matches(watermark, head)) return { kind: "nothing" };

  const changes: Change[] = [];
  if (cursor.place > 0) {
    if (head.before === null) return gone;
    const rest = changesOf(head.before, outcomes.get(cursor.id) ?? null);
    changes.push(...rest.filter(({ place }) => place > cursor.place));
  }
  let { id } = cursor;
  let ordinal = ordinalOf(cursor, head);
  for (const entry of head.entries) {
    // Only a newer process can tell what it did.
    if (entry.kind === "unsupported") return progress(cursor, changes, { id, place: 0, era, ordinal });
    if (idTimeMs(entry.id) < idTimeMs(watermark.id) - OUTCOME_RETENTION_MS) return gone;
    if (entry.ordinal > 0 && ordinal !== undefined && entry.ordinal !== ordinal + 1) return gone;
    changes.push(...changesOf(entry, outcomes.get(entry.id) ?? null));
    ({ id } = entry);
    if (entry.ordinal > 0) ({ ordinal } = entry);
  }
  return progress(cursor, changes, { id: head.partial ? id : through, place: 0, era, ordinal });
}

function progress(from: Cursor, changes: readonly Change[], upTo: Cursor): Page {
  const moved = upTo.id !== from.id || upTo.era !== from.era || from.place > 0;
  return moved ? { kind: "changes", changes, upTo } : { kind: "nothing" };
}

/** Undefined where nothing tells it: the entry is trimmed. */
function ordinalOf(cursor: Cursor, { before }: HeaderPage): number | undefined {
  if (cursor.id === ID_ZERO) return 0;
  if (cursor.ordinal !== undefined) return cursor.ordinal;
  return before === null || before.kind === "unsupported" || before.ordinal === 0 ? undefined : before.ordinal;
}

/** Does the log hold what the store applied last? What has no ordinal was not written by us, and parked. */
function matches(watermark: Watermark, { atWatermark, floor }: HeaderPage): boolean {
  if (compareIds(watermark.id, floor) <= 0) return true;
  if (atWatermark === null) return false;
  return atWatermark.kind === "unsupported" || [0, watermark.ordinal].includes(atWatermark.ordinal);
}

/** Behind what the log may have trimmed, and behind what the store may have forgotten the outcomes of. */
function restartAt(floor: EntryId, watermark: EntryId, era: number): Cursor {
  const rememberedMs = idTimeMs(watermark) - OUTCOME_RETENTION_MS + FORGETTING_MARGIN_MS;
  return { id: rememberedMs > idTimeMs(floor) ? `${rememberedMs}-0` : floor, place: 0, era };
}
