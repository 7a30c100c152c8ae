/**
 * A page of keys out of what several partitions hold, in the order of their bytes. Pure: it says what to read next, and
 * is given what was read.
 *
 * Every partition has been looked at up to some key, its reach; what is up to the smallest reach of all is known for
 * sure. The page is full when it is known up to its last key, so only the partitions that are not so far are read on. Keys
 * are spread evenly by their slot: each partition is asked for its share of the page and some more, so that mostly one
 * round is enough. A page costs what a page costs, however many keys stand before it or behind.
 */
import { compareKeys } from "../core/key-bytes.ts";

export interface Candidate {
  readonly key: Uint8Array;
  /** What it takes of the page's bytes. */
  readonly weight: number;
}

/** One partition to be read on. */
export interface Wanted {
  readonly partition: number;
  /** Behind it; null: from the first key. */
  readonly after: Uint8Array | null;
  /** Keys. */
  readonly keys: number;
}

export interface Merged<C> {
  readonly keys: readonly C[];
  /** Where the next page begins: behind it; null: there is nothing more. */
  readonly reached: Uint8Array | null;
}

/** Three standard deviations of how many of a page's keys fall into one partition: a second round is rare then. */
const SPREAD = 3;

interface Source {
  reach: Uint8Array | null;
  ended: boolean;
}

export class KeyMerge<C extends Candidate> {
  readonly #sources: ReadonlyMap<number, Source>;
  readonly #maxKeys: number;
  readonly #maxWeight: number;
  /** In order, but for what was just added. */
  #candidates: C[] = [];
  #sorted = true;

  /**
   * @param after where the page begins: behind it; null: at the first key
   * @param maxWeight of the page. The first key is taken also where it alone weighs more
   */
  constructor(partitions: readonly number[], after: Uint8Array | null, maxKeys: number, maxWeight: number) {
    this.#sources = new Map(partitions.map((partition) => [partition, { reach: after, ended: false }]));
    this.#maxKeys = maxKeys;
    this.#maxWeight = maxWeight;
  }

  /** What was read of a partition, in order. @param reach the last key looked at there; null: all were */
  add(partition: number, keys: readonly C[], reach: Uint8Array | null): void {
    const source = this.#sources.get(partition);
    if (source === undefined) throw new Error(`partition ${partition} is not merged`);
    source.reach = reach;
    source.ended = reach === null;
    for (const key of keys) this.#candidates.push(key);
    this.#sorted = false;
  }

  /** What must be read before the page is known; nothing when it is. */
  wanted(): Wanted[] {
    const open = [...this.#sources].filter(([, { ended }]) => !ended);
    const cut = this.#cut();
    const last = cut === null ? undefined : this.#candidates[cut - 1];
    const behind = last === undefined ? open : open.filter(([, { reach }]) => !reachesTo(reach, last.key));
    const keys = shareOf(Math.max(1, this.#maxKeys - this.#known()), behind.length);
    return behind.map(([partition, { reach }]) => ({ partition, after: reach, keys }));
  }

  /** The page, or as much of it as is known for sure: something of every partition must have been read. */
  take(): Merged<C> {
    const known = this.#known();
    const count = Math.min(known, this.#cut() ?? known);
    const keys = this.#candidates.slice(0, count);
    if (count < known) return { keys, reached: keys.at(-1)?.key ?? null };
    const reach = this.#reach();
    if (reach === null) throw new Error("a page is taken before anything was read");
    return { keys, reached: reach === "all" ? null : reach };
  }

  /** How many candidates fill a page; null when those there are do not. */
  #cut(): number | null {
    const candidates = this.#inOrder();
    let weight = 0;
    for (let count = 0; count < candidates.length; count += 1) {
      weight += candidates[count]?.weight ?? 0;
      if (weight > this.#maxWeight) return Math.max(1, count);
      if (count + 1 === this.#maxKeys) return this.#maxKeys;
    }
    return null;
  }

  /** How many candidates there are up to the smallest reach: none can come between them any more. */
  #known(): number {
    const reach = this.#reach();
    const candidates = this.#inOrder();
    if (reach === "all") return candidates.length;
    if (reach === null) return 0;
    let low = 0;
    let high = candidates.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const key = candidates[middle]?.key;
      if (key !== undefined && compareKeys(key, reach) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The smallest reach of the partitions that have not ended. */
  #reach(): Uint8Array | null | "all" {
    let smallest: Uint8Array | null | "all" = "all";
    for (const { reach, ended } of this.#sources.values()) {
      if (ended) continue;
      if (reach === null) return null;
      if (smallest === "all" || compareKeys(reach, smallest) < 0) smallest = reach;
    }
    return smallest;
  }

  #inOrder(): readonly C[] {
    if (!this.#sorted) this.#candidates.sort((a, b) => compareKeys(a.key, b.key));
    this.#sorted = true;
    return this.#candidates;
  }
}

function reachesTo(reach: Uint8Array | null, key: Uint8Array): boolean {
  return reach !== null && compareKeys(reach, key) >= 0;
}

/** Keys to ask each of so many partitions for, when so many are missing. */
function shareOf(keys: number, partitions: number): number {
  if (partitions <= 1) return keys;
  const mean = keys / partitions;
  return Math.min(keys, Math.ceil(mean + SPREAD * Math.sqrt(mean)));
}
