/**
 * The store as the handlers may read it.
 */
import { OperatingError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import type { ReadableStore } from "./dependencies.ts";
import type { WatchedStore } from "./watch/watches.ts";

/** A store that may belong to another installation is not read: its answers would be somebody else's. */
export function readable(store: Store, usable: () => boolean): ReadableStore & WatchedStore {
  const only = <T>(ask: () => Promise<T>): Promise<T> =>
    usable() ? ask() : Promise.reject(new OperatingError("store-unavailable", "the store is not usable"));
  return {
    read: (partition, namespace, key) => only(() => store.read(partition, namespace, key)),
    list: (partition, namespace, range) => only(() => store.list(partition, namespace, range)),
    outcome: (partition, id) => only(() => store.outcome(partition, id)),
    outcomes: (partition, from, count) => only(() => store.outcomes(partition, from, count)),
    revisions: (partition, wanted, bytes) => only(() => store.revisions(partition, wanted, bytes)),
    first: (partition, idempotencyKey) => only(() => store.first(partition, idempotencyKey)),
    watermark: (partition) => only(() => store.watermark(partition)),
    letters: (partition, after, entries) => only(() => store.letters(partition, after, entries)),
    letter: (partition, id) => only(() => store.letter(partition, id)),
    letterCounts: () => only(() => store.letterCounts()),
    usage: (partition, namespace) => only(() => store.usage(partition, namespace)),
    foresee: (...planned) => only(() => store.foresee(...planned)),
  };
}
