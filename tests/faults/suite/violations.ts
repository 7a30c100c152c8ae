/** What can be found wrong, by name. Every finding says which partition, key or operation it is about. */

export const KINDS = [
  /** Acknowledged at a grade that must hold, and not applied. */
  "lost",
  /** One operation took effect more than once. */
  "doubled",
  /** Entries out of order: against their clients' time, or with a break in the count. */
  "reordered",
  /** Refused for certain, and in the log all the same; or read, and nowhere in the log. */
  "phantom",
  /** A client was told another result than the log gives. */
  "wrong-result",
  /** A read that no state of the log explains, or one older than what its reader knew. */
  "wrong-read",
  /** No order of a key's operations explains what its clients saw. */
  "not-linearizable",
  /** The checker gave up on a key. */
  "undecided",
  /** A counter is not the sum of its increments. */
  "miscounted",
  /** A store does not hold what its log says. */
  "diverged",
  /** Acked in the consumer group, and not applied. */
  "acked-early",
  /** A client that got no answer in its patience. */
  "stuck",
  /** Something was accepted and was not applied in time after the last heal, or no write or read got through. */
  "not-drained",
  /** A process of ours ended by itself. */
  "died",
  /** An answer that the contract does not know for this. */
  "unexpected",
  /** The cluster under test did not come back, or a fault could not be struck. */
  "unhealed",
] as const;

export type Kind = (typeof KINDS)[number];

export interface Violation {
  readonly kind: Kind;
  readonly what: string;
}

/** More of one kind tell nothing new. */
const TOLD_MAX = 20;

export class Findings {
  readonly #found = new Map<Kind, { count: number; told: string[] }>();

  add(kind: Kind, what: string): void {
    const found = this.#found.get(kind) ?? { count: 0, told: [] };
    this.#found.set(kind, found);
    found.count += 1;
    if (found.told.length < TOLD_MAX) found.told.push(what);
  }

  addAll(other: Findings): void {
    for (const [kind, { count, told }] of other.#found) {
      const found = this.#found.get(kind) ?? { count: 0, told: [] };
      this.#found.set(kind, found);
      found.count += count;
      found.told.push(...told.slice(0, TOLD_MAX - found.told.length));
    }
  }

  count(kind: Kind): number {
    return this.#found.get(kind)?.count ?? 0;
  }

  get total(): number {
    return [...this.#found.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** The first of each kind, in words. */
  list(): Violation[] {
    return [...this.#found].flatMap(([kind, { told }]) => told.map((what) => ({ kind, what })));
  }

  /** How many of each kind. */
  counts(): Partial<Record<Kind, number>> {
    return Object.fromEntries([...this.#found].map(([kind, { count }]) => [kind, count]));
  }
}
