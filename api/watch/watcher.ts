/**
 * One stream of changes: what its client asked for, and how far it is in each partition.
 *
 * It takes from the tails of its partitions what they have, and reads by itself what lies before that: in the beginning, and
 * whenever it was slow. It reads and writes only as fast as its client takes, so what waits for a client is bounded, and
 * nothing is left out. Its cursors move with what it has written: an event's id resumes right behind the event.
 */
import { OperatingError } from "../../core/errors.ts";
import type { KeyRevision } from "../../core/functions/watch-reads.ts";
import {
  WATCH_BUFFER_MAX_BYTES,
  WATCH_HEARTBEAT_MS,
  WATCH_POLL_MS,
  WATCH_STEP_MAX_CHANGES,
  WATCH_STEP_VALUES_MAX_BYTES,
} from "../../core/limits.ts";
import { SignalFlag } from "../../core/signal-flag.ts";
import type { StoredValue } from "../../core/stored-value.ts";
import type { Change } from "./changes.ts";
import { changeText, farewell, heartbeat, opening } from "./event-text.ts";
import type { Page } from "./partition-reader.ts";
import { cursorAfter, type PartitionTail } from "./partition-tail.ts";
import { type Cursor, encodePosition } from "./position.ts";

/** What a client watches. */
export interface Subject {
  readonly namespace: string;
  readonly prefix: string;
  /** The present value comes with an event, where it is still the event's. */
  readonly values: boolean;
  /** Those that may hold such keys, in order. */
  readonly partitions: readonly number[];
}

export interface WatcherDependencies {
  readonly tails: readonly PartitionTail[];
  /** Reads by range; waits for its turn, and does nothing where it is not wanted any more by then. */
  readonly read: (partition: number, cursor: Cursor, wanted: () => boolean) => Promise<Page>;
  readonly values: (partition: number, keys: readonly KeyRevision[], bytes: number) => Promise<(StoredValue | null)[]>;
  readonly now: () => number;
  /** An event was written. */
  readonly onEvent: () => void;
}

/** `more`: of this partition; `idle`: its tail says when there is; `waiting`: it must be looked at again. */
type Step = "more" | "idle" | "waiting";

/** What cannot be told now is looked at less and less often, but at least so often. */
const PATIENCE_MAX_MS = 2000;

export class Watcher {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #deps: WatcherDependencies;
  readonly #subject: Subject;
  readonly #cursors: Cursor[];
  readonly #wake = new SignalFlag();
  readonly #room = new SignalFlag();
  readonly #encoder = new TextEncoder();
  readonly #onClose: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #closed = false;
  #beatAtMs = 0;

  /**
   * @param cursors of the subject's partitions, in order
   * @param onClose called once when it is over, whoever ended it
   */
  constructor(deps: WatcherDependencies, subject: Subject, cursors: readonly Cursor[], onClose: () => void) {
    this.#deps = deps;
    this.#subject = subject;
    this.#cursors = [...cursors];
    this.#onClose = onClose;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#room.raise(),
        cancel: () => this.close(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: WATCH_BUFFER_MAX_BYTES }),
    );
  }

  /** Ends the stream after what it has written: its client connects again, elsewhere if need be. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake.raise();
    this.#room.raise();
    try {
      this.#controller?.close();
    } catch {
      // It was cancelled.
    }
    this.#onClose();
  }

  /** Follows the changes until it is closed. @throws Error that should not be */
  async run(): Promise<void> {
    const { partitions } = this.#subject;
    const stops = partitions.map((partition) => this.#deps.tails[partition]?.watch(() => this.#wake.raise()));
    this.#write(opening(this.#position()));
    let patienceMs = WATCH_POLL_MS;
    try {
      while (!this.#closed) {
        const steps = new Set<Step>();
        for (let index = 0; index < partitions.length && !this.#closed; index++) steps.add(await this.#step(index));
        if (performance.now() >= this.#beatAtMs) await this.#beat();
        if (steps.has("more")) {
          patienceMs = WATCH_POLL_MS;
          continue;
        }
        const quietMs = Math.max(1, this.#beatAtMs - performance.now());
        await this.#wake.wait(steps.has("waiting") ? Math.min(quietMs, patienceMs) : quietMs);
        patienceMs = Math.min(patienceMs * 2, PATIENCE_MAX_MS);
      }
    } finally {
      for (const stop of stops) stop?.();
      this.close();
    }
  }

  /** Writes some of what is new in one partition. */
  async #step(index: number): Promise<Step> {
    const cursor = this.#cursors[index];
    const partition = this.#subject.partitions[index];
    if (cursor === undefined || partition === undefined) return "idle";
    const known = this.#deps.tails[partition]?.after(cursor, WATCH_STEP_MAX_CHANGES) ?? null;
    if (known !== null && known.changes.length === 0 && isSame(known.upTo, cursor)) return "idle";
    try {
      if (known !== null) return await this.#tell(index, known.changes, known.upTo);
      const page = await this.#deps.read(partition, cursor, () => !this.#closed);
      if (page.kind === "nothing") return "waiting";
      if (page.kind === "changes") return await this.#tell(index, page.changes, page.upTo);
      this.#sayGone(index, page.restart);
      return "idle";
    } catch (error) {
      // A Redis is away. What was not written is still to come.
      if (error instanceof OperatingError) return "waiting";
      throw error;
    }
  }

  /** Writes changes and moves the cursor: with each of them, and in the end to where they reach. */
  async #tell(index: number, changes: readonly Change[], upTo: Cursor): Promise<Step> {
    const { namespace, prefix } = this.#subject;
    const wanted = changes.filter((change) => change.namespace === namespace && change.key.startsWith(prefix));
    for (let at = 0; at < wanted.length; ) {
      await this.#roomToWrite();
      if (this.#closed) return "idle";
      at += await this.#writeSome(index, wanted.slice(at, at + WATCH_STEP_MAX_CHANGES), upTo);
    }
    this.#cursors[index] = upTo;
    return "more";
  }

  /** @returns how many were written @throws OperatingError when the store is away */
  async #writeSome(index: number, changes: readonly Change[], upTo: Cursor): Promise<number> {
    const partition = this.#subject.partitions[index] ?? 0;
    const values = this.#subject.values
      ? await this.#deps.values(partition, changes, WATCH_STEP_VALUES_MAX_BYTES)
      : undefined;
    const count = values?.length ?? changes.length;
    const nowMs = this.#deps.now();
    let text = "";
    for (const [at, change] of changes.slice(0, count).entries()) {
      this.#cursors[index] = cursorAfter(change, upTo);
      text += changeText(partition, change, values?.[at], this.#position(), nowMs);
      this.#deps.onEvent();
    }
    this.#write(text);
    return count;
  }

  #sayGone(index: number, restart: Cursor): void {
    const position = encodePosition(this.#cursors.map((cursor, at) => (at === index ? restart : cursor)));
    this.#write(farewell(position));
    this.close();
  }

  /** Nothing was written for a while: the connection is kept, and the client learns where it is. */
  async #beat(): Promise<void> {
    await this.#roomToWrite();
    this.#write(heartbeat(this.#position()));
  }

  async #roomToWrite(): Promise<void> {
    while (!this.#closed && (this.#controller?.desiredSize ?? 0) <= 0) await this.#room.wait(WATCH_HEARTBEAT_MS);
  }

  #write(text: string): void {
    if (this.#closed || text === "") return;
    this.#controller?.enqueue(this.#encoder.encode(text));
    this.#beatAtMs = performance.now() + WATCH_HEARTBEAT_MS;
  }

  #position(): string {
    return encodePosition(this.#cursors);
  }
}

function isSame(a: Cursor, b: Cursor): boolean {
  return a.id === b.id && a.place === b.place && a.era === b.era;
}
