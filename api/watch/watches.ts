/**
 * All that watch changes through this process.
 */
import { OperatingError, unavailable } from "../../core/errors.ts";
import { WATCH_READS_MAX, WATCH_RECENT_MAX_CHANGES, WATCHERS_MAX } from "../../core/limits.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../core/store.ts";
import { ProblemError } from "../errors.ts";
import { type Page, PartitionReader } from "./partition-reader.ts";
import { PartitionTail } from "./partition-tail.ts";
import { type Cursor, encodePosition } from "./position.ts";
import { type Subject, Watcher } from "./watcher.ts";

export type WatchedStore = Pick<Store, "outcomes" | "revisions">;

export interface WatchesDependencies {
  readonly log: Pick<Log, "headers" | "confirmedPosition">;
  readonly store: WatchedStore;
  readonly partitions: number;
  /** May the log be read: is it ours, and there? */
  readonly usable: () => boolean;
  /** Told of errors that should not be. */
  readonly report: (error: unknown) => void;
}

/** Where a client wants to begin: at positions of its subject's partitions, now, or at the oldest that is kept. */
export type Beginning = readonly Cursor[] | "now" | "oldest";

/** Recent changes that a partition keeps at least, however many partitions there are. */
const RECENT_MIN_CHANGES = 64;

export class Watches {
  readonly #deps: WatchesDependencies;
  readonly #reader: PartitionReader;
  readonly #tails: readonly PartitionTail[];
  readonly #watchers = new Set<Watcher>();
  /** Those who wait for their turn to read. */
  readonly #queue: (() => void)[] = [];
  #reading = 0;
  #opening = 0;
  #events = 0;
  #stopped = false;

  constructor(deps: WatchesDependencies) {
    this.#deps = deps;
    const { log, store, partitions, usable, report } = deps;
    const only = async <T>(ask: () => Promise<T>): Promise<T> => {
      if (!usable()) throw new OperatingError("log-unavailable", "the log is not usable");
      return ask();
    };
    this.#reader = new PartitionReader({
      log: {
        headers: (...about) => only(() => log.headers(...about)),
        confirmedPosition: (partition) =>
          only(() => log.confirmedPosition(partition).catch(unavailable("log-unavailable"))),
      },
      store,
    });
    const recentMax = Math.max(RECENT_MIN_CHANGES, Math.floor(WATCH_RECENT_MAX_CHANGES / partitions));
    this.#tails = Array.from(
      { length: partitions },
      (_, partition) => new PartitionTail(partition, this.#reader, recentMax, report),
    );
  }

  /** Streams that are open now. */
  get count(): number {
    return this.#watchers.size;
  }

  /** Events written to all there ever were. */
  get events(): number {
    return this.#events;
  }

  /** A partition's watermark has moved. */
  wake(partition: number): void {
    this.#tails[partition]?.wake();
  }

  /**
   * A stream of changes from a beginning on.
   * @throws ProblemError `position-trimmed` with the oldest position to go on from
   * @throws OperatingError `overloaded` when there are too many; when log or store is away and where to begin is not given
   */
  async open(subject: Subject, beginning: Beginning): Promise<ReadableStream<Uint8Array>> {
    if (this.#watchers.size + this.#opening >= WATCHERS_MAX) {
      throw new OperatingError("overloaded", "too many streams are open");
    }
    this.#opening += 1;
    let cursors: readonly Cursor[];
    try {
      cursors = await this.#begin(subject, beginning);
    } finally {
      this.#opening -= 1;
    }
    const watcher: Watcher = new Watcher(
      {
        tails: this.#tails,
        read: (partition, cursor, wanted) => this.#read(partition, cursor, wanted),
        values: (partition, wanted, bytes) => this.#deps.store.revisions(partition, wanted, bytes),
        now: Date.now,
        onEvent: () => {
          this.#events += 1;
        },
      },
      subject,
      cursors,
      () => this.#watchers.delete(watcher),
    );
    this.#watchers.add(watcher);
    watcher.run().catch(this.#deps.report);
    // Whoever comes now is told where it is, and connects again elsewhere.
    if (this.#stopped) watcher.close();
    return watcher.stream;
  }

  /** Ends all streams, and all that still come. */
  stop(): void {
    this.#stopped = true;
    for (const watcher of this.#watchers) watcher.close();
  }

  async #begin({ partitions }: Subject, beginning: Beginning): Promise<readonly Cursor[]> {
    if (beginning === "now") return Promise.all(partitions.map((partition) => this.#reader.now(partition)));
    if (beginning === "oldest") return Promise.all(partitions.map((partition) => this.#reader.oldest(partition)));
    const lost = await Promise.all(
      partitions.map((partition, index) => this.#lost(partition, beginning[index] as Cursor)),
    );
    if (lost.every((restart) => restart === null)) return beginning;
    const restart = encodePosition(beginning.map((cursor, index) => lost[index] ?? cursor));
    throw new ProblemError("position-trimmed", "Read again what you need, and go on from there.", {}, { restart });
  }

  /** A Redis that is away keeps nobody from resuming: what is lost is told as soon as it is known. */
  async #lost(partition: number, cursor: Cursor): Promise<Cursor | null> {
    if (this.#tails[partition]?.after(cursor, 0)) return null;
    try {
      return await this.#reader.lost(partition, cursor);
    } catch (error) {
      if (error instanceof OperatingError) return null;
      throw error;
    }
  }

  /** So many at once; the others wait for their turn. */
  async #read(partition: number, cursor: Cursor, wanted: () => boolean): Promise<Page> {
    if (this.#reading >= WATCH_READS_MAX) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#reading += 1;
    try {
      return wanted() ? await this.#reader.read(partition, cursor) : { kind: "nothing" };
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#reading -= 1;
    }
  }
}
