/**
 * What a partition in the state `lost-base` has lost, or one in the state `stopped` has not applied, and an operator's word that
 * it may go on without that.
 *
 * The store is moved to just before the first command that the log still holds, by compare-and-set from where it stood when
 * the loss was told: a confirmation of one loss never covers another.
 */
import { decodeEntry } from "../core/codec.ts";
import { compareIds, type EntryId, formatRevision, ID_ZERO, idBefore } from "../core/entry-id.ts";
import type { AcceptedLoss } from "../core/functions/advance.ts";
import type { LogPosition } from "../core/functions/append.ts";
import type { Watermark } from "../core/functions/apply.ts";
import type { Log } from "../core/log.ts";
import { examine, parseOwnerWord } from "../core/partition-state.ts";
import type { Store } from "../core/store.ts";

/** Commands after `from`, up to and including `to`. */
export interface Loss {
  readonly from: Watermark;
  readonly to: Watermark;
  /** The log still has them: the partition is in the state `stopped`. They are removed when they are given up. */
  readonly held: boolean;
}

export type Acceptance = "accepted" | "not-lost" | "changed";

const PAGE = 100;
const LOSSES_SHOWN = 20;

export class PartitionLosses {
  readonly #log: Log;
  readonly #store: Store;

  constructor(log: Log, store: Store) {
    this.#log = log;
    this.#store = store;
  }

  /** @returns null when the partition is neither in the state `lost-base` nor has stopped before something */
  async find(partition: number): Promise<Loss | null> {
    const from = await this.#store.watermark(partition);
    const [position, ownership] = await Promise.all([this.#log.position(partition), this.#log.ownership()]);
    const word = ownership.owners.has(partition) ? parseOwnerWord(ownership.states.get(partition) ?? "") : null;
    const verdict = examine(position, from).state;
    if (verdict === "ok" && word?.state === "stopped") {
      if (position.ordinal <= from.ordinal) return null;
      return { from, to: { id: position.lastId, ordinal: position.ordinal }, held: true };
    }
    if (verdict === "frozen" || (verdict !== "lost-base" && word?.state !== "lost-base")) return null;
    const held = await this.#beforeFirstHeld(partition, position, from);
    if (verdict === "lost-base" || held.ordinal > from.ordinal) return { from, to: held, held: false };
    // The log goes on from here, or ends: what its owner misses is in neither of the two.
    if (position.ordinal > from.ordinal || !word?.reached || word.reached.ordinal <= from.ordinal) return null;
    return { from, to: word.reached, held: false };
  }

  /** @param confirm as {@link confirmationOf} gave it */
  async accept(partition: number, confirm: string): Promise<Acceptance> {
    const loss = await this.find(partition);
    if (loss === null) return "not-lost";
    if (confirmationOf(loss) !== confirm) return "changed";
    if (loss.held && !(await this.#log.giveUp(partition, loss.from.id, loss.to.id))) return "changed";
    return (await this.#store.advance(partition, loss.from, loss.to)) ? "accepted" : "changed";
  }

  /** What was accepted before, the newest first. */
  list(partition: number): Promise<AcceptedLoss[]> {
    return this.#store.losses(partition, LOSSES_SHOWN);
  }

  async #beforeFirstHeld(partition: number, position: LogPosition, from: Watermark): Promise<Watermark> {
    const trimmed = compareIds(from.id, position.floor) < 0;
    const start = trimmed ? position.floor : from.id;
    let first: EntryId | null = null;
    for (let last = start; ; ) {
      const page = (await this.#log.between(partition, last, "+", PAGE)).filter(([id]) => compareIds(id, last) > 0);
      for (const [id, fields] of page) {
        first ??= id;
        const entry = decodeEntry(id, fields);
        // What the append function did not write has no ordinal: it is parked when the partition goes on.
        if (entry.kind !== "unsupported" && entry.ordinal > 0)
          return { id: trimmed ? start : idBefore(first), ordinal: entry.ordinal - 1 };
      }
      const newest = page.at(-1);
      if (newest === undefined) break;
      last = newest[0];
    }
    const end = compareIds(position.lastId, start) > 0 ? position.lastId : start;
    return { id: trimmed ? start : first === null ? end : idBefore(first), ordinal: position.ordinal };
  }
}

/** Names exactly this loss. */
export function confirmationOf({ from, to }: Pick<Loss, "from" | "to">): string {
  return `${from.ordinal + 1}-${to.ordinal}_${from.id}_${to.id}`;
}

/** As `GET /v1/partitions/{n}` tells it. */
export function describeLoss(partition: number, loss: Loss): Record<string, unknown> {
  const storeEmpty = loss.from.id === ID_ZERO;
  return {
    ...describeRange(partition, loss),
    storeEmpty,
    ...(loss.held
      ? { advice: "The log still has these commands. Consumers without MILLRACE_APPLY_UNTIL apply them." }
      : storeEmpty && { advice: "The store is empty. Where there is a snapshot of it, restore that instead." }),
    confirm: confirmationOf(loss),
  };
}

export function describeRange(partition: number, { from, to }: Pick<Loss, "from" | "to">): Record<string, unknown> {
  return {
    commands: to.ordinal - from.ordinal,
    ordinals: { from: from.ordinal + 1, to: to.ordinal },
    revisions: { after: formatRevision(partition, from.id), upTo: formatRevision(partition, to.id) },
  };
}
