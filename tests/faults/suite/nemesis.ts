/** A fault: how it is struck, and what it needs. */
import type { Cluster } from "./cluster.ts";
import type { Random } from "./random.ts";
import type { Right } from "./rights.ts";

/** What a nemesis lays its hands on. At most one at a time does so to each of these. */
export type Target = "log" | "store" | "consumers" | "apis" | "sentinels";

export interface Strike {
  readonly cluster: Cluster;
  readonly random: Random;
  /** Tells what is done: for the evidence. */
  readonly note: (text: string) => void;
  /** Has this undone when the strike is over, the newest first, also when it fails. */
  readonly later: (undo: () => Promise<void> | void) => void;
  /** Marks `<namespace>/<key>` as holding what is no value of ours. */
  readonly foreign: Set<string>;
  /** A client's write beside the traffic's: recorded and judged as theirs are. */
  readonly write: (namespace: string, key: string) => Promise<void>;
}

export interface Nemesis {
  readonly name: string;
  /** What it does, in one line. */
  readonly does: string;
  readonly needs?: readonly Right[];
  readonly targets: readonly Target[];
  /** The store's master stays the same process with all its data: the consumer group can be judged meanwhile. */
  readonly storeStays?: true;
  /** Afterwards the log does not hold all there ever was: what needs that begins with a fresh cluster. */
  readonly trimsLog?: true;
  /** In `npm test`, too. */
  readonly core?: true;
  /** Returns after the fault has lasted long enough; what is left to undo was said by `later`. */
  strike(strike: Strike): Promise<void>;
}
