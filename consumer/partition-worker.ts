/**
 * Works one partition: brings its store up to its log, in order, for as long as this consumer owns it.
 *
 * States, and what a crash in each leaves behind (the next owner begins at `catching up` whatever it finds):
 *   catching up  reads by range from the store's watermark, whatever the group says, until nothing is left; then puts the
 *                group where the watermark is. It begins with the entry at the watermark: the log must still hold it.
 *                Crash: entries that were delivered to the dead consumer stay pending until the next owner's alignment;
 *                those behind the watermark are acked there, the others are read by range.
 *   tailing      takes deliveries of the group; while one batch is applied the next is on its way and one more is being
 *                read. Crash after a read: pending, not applied, read again by range. Crash after apply: applied, not
 *                acked; the watermark says so. Crash after ack: nothing to do. A new connection ends it: it may be
 *                another Redis, whose log went back.
 *   held         a fault stops it; nothing is skipped; after a pause it catches up again.
 *   frozen       the log went back: it is brought into line (see reconcile.ts), then caught up with.
 *   lost-base    looked at again each second, and told loudly, until an operator accepts the loss.
 *   stopped      applies nothing that was accepted after a time (see apply-until.ts), until consumers start without it.
 *
 * Safety rests on apply's compare-and-set alone: two workers on one partition disturb each other's pace, nothing else.
 */
import type { Logger } from "pino";
import { describeError } from "../core/errors.ts";
import { type ApplyReply, WATERMARK_ZERO, type Watermark } from "../core/functions/apply.ts";
import type { Log, RawEntry } from "../core/log.ts";
import { examine, isHalted, type OwnerWord, type PartitionState, STATE_OK } from "../core/partition-state.ts";
import { SignalFlag } from "../core/signal-flag.ts";
import type { Store } from "../core/store.ts";
import { Applier, type ApplierDependencies } from "./applier.ts";
import { stoppedAt } from "./apply-until.ts";
import type { Counters } from "./counters.ts";
import { type Batch, decide, stateOfFault, unsupported } from "./decide.ts";
import { broken, lookCloser, lostByBoth, matches, missing } from "./log-match.ts";
import { ReadSize } from "./read-size.ts";
import { reconcile } from "./reconcile.ts";
import { Standing } from "./standing.ts";

/** Apply calls on their way at once: the store works on one while this process prepares the next. */
const APPLIES_IN_FLIGHT_MAX = 2;
/** The log's broadcast wakes a waiting worker; this covers a lost one. */
const POLL_MS = 100;
/**
 * While nothing is delivered, neither a store that came back older nor a command that was delivered to somebody who died
 * with it would be noticed.
 */
const IDLE_LOOK_MS = 500;
const HALT_LOOK_MS = 1000;
const HOLD_MIN_MS = 20;
const HOLD_MAX_MS = 1000;

export interface WorkerDependencies extends ApplierDependencies {
  readonly log: Log;
  readonly store: Store;
  readonly counters: Counters;
  /** What was accepted later is not applied. Milliseconds since the epoch, or Infinity. */
  readonly applyUntilMs: number;
  /** Told when a worker's state has changed. */
  readonly onStateChange: () => void;
}

interface InFlight {
  readonly batch: Batch;
  readonly reply: Promise<ApplyReply>;
}

export class PartitionWorker {
  readonly partition: number;
  readonly #deps: WorkerDependencies;
  readonly #logger: Logger;
  readonly #standing: Standing;
  readonly #applier: Applier;
  readonly #wake = new SignalFlag();
  readonly #stopped = new SignalFlag();
  readonly #readSize = new ReadSize();
  /** The log's connection and era that the last catching up saw. */
  #connection = 0;
  #era = 0;
  #stopping = false;
  #done: Promise<void> | null = null;

  /** @param reached the highest watermark that the owner before told of */
  constructor(partition: number, deps: WorkerDependencies, reached: Watermark | null = null) {
    this.partition = partition;
    this.#deps = deps;
    this.#logger = deps.logger.child({ partition });
    this.#standing = new Standing({ ...deps, logger: this.#logger }, reached);
    this.#applier = new Applier(partition, deps);
  }

  /** State, and how far it ever was. */
  get word(): OwnerWord {
    return this.#standing.word;
  }

  start(): void {
    this.#done ??= this.#run();
  }

  /** Something was appended. */
  wake(): void {
    this.#wake.raise();
  }

  /** Finishes the batches on their way, acks them and ends. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopped.raise();
    this.#wake.raise();
    await this.#done;
  }

  async #run(): Promise<void> {
    let pauseMs = HOLD_MIN_MS;
    let reconciled = false;
    while (!this.#stopping) {
      try {
        const verdict = await this.#catchUp();
        if (isHalted(verdict)) {
          this.#standing.enter(verdict);
          // Once, then with a pause: should it not help, it must not be done over and over.
          reconciled = verdict.state === "frozen" && !reconciled && (await this.#reconcile(verdict));
          if (reconciled) continue;
          await this.#stopped.wait(HALT_LOOK_MS);
          continue;
        }
        if (this.#stopping) break;
        reconciled = false;
        this.#standing.enter(STATE_OK);
        pauseMs = HOLD_MIN_MS;
        await this.#tail();
      } catch (error) {
        this.#standing.enter(stateOfFault(error));
        this.#deps.counters.held += 1;
        this.#applier.retry();
        await this.#stopped.wait(pauseMs);
        pauseMs = Math.min(pauseMs * 2, HOLD_MAX_MS);
      }
    }
  }

  /** @returns ok when the store holds all that the log had, else the state that forbids to go on */
  async #catchUp(): Promise<PartitionState> {
    const { log, consumer, applyUntilMs } = this.#deps;
    this.#connection = log.connections;
    await this.#look();
    for (;;) {
      let watermark = this.#standing.watermark ?? WATERMARK_ZERO;
      if (this.#stopping) return STATE_OK;
      const position = await log.confirmedPosition(this.partition);
      this.#era = position.era;
      const verdict = examine(position, watermark);
      if (isHalted(verdict)) return verdict;
      if (this.#standing.going.state === "recovering") this.#standing.enter(this.#standing.going);
      const read = await log.between(this.partition, watermark.id, "+", this.#readSize.count + 1);
      if (!matches(read[0], position, watermark)) {
        const mismatch = await lookCloser(log, this.partition, watermark);
        if (isHalted(mismatch)) return mismatch;
      }
      const entries = read[0]?.[0] === watermark.id ? read.slice(1) : read;
      this.#readSize.observe(entries);
      if (entries.length === 0) {
        if (position.ordinal > watermark.ordinal) return missing(position.ordinal - watermark.ordinal, watermark);
        break;
      }
      const decision = decide(entries, watermark, applyUntilMs);
      if (decision.kind === "stop") return stoppedAt(applyUntilMs, position.ordinal - watermark.ordinal, watermark);
      if (decision.kind === "rewind") return broken(decision.id, decision.ordinal, watermark);
      if (decision.kind === "hold") throw unsupported(decision.version);
      for (const batch of decision.batches) {
        const reply = await this.#applier.apply(watermark, batch);
        watermark = this.#standing.take(reply);
        if (reply.kind !== "applied") break;
        this.#standing.enter(this.#standing.going);
      }
    }
    const { watermark, word } = this.#standing;
    if (word.reached && watermark && word.reached.ordinal > watermark.ordinal)
      return lostByBoth(watermark, word.reached);
    if (Date.now() > applyUntilMs) return stoppedAt(applyUntilMs, 0, watermark ?? WATERMARK_ZERO);
    const acked = await log.alignGroup(this.partition, watermark ?? WATERMARK_ZERO, consumer);
    if (acked !== null) void this.#applier.settled(acked);
    return STATE_OK;
  }

  /** Where is the store? Where an operator has moved it over a loss, that is told. */
  async #look(): Promise<void> {
    const { store } = this.#deps;
    const before = this.#standing.watermark;
    const mayBeMoved = before === null || isHalted(this.#standing.word);
    const watermark = await store.watermark(this.partition);
    this.#standing.moveTo(watermark);
    if (!mayBeMoved || watermark.ordinal === 0 || watermark.id === before?.id) return;
    const [loss] = await store.losses(this.partition, 1);
    if (loss?.to.id !== watermark.id) return;
    const { from, to, count } = loss;
    this.#logger.error({ lost: count, from, to }, "an operator has accepted a loss: going on behind it");
  }

  /** @returns true when the partition can be caught up with now */
  async #reconcile({ reason }: PartitionState): Promise<boolean> {
    const { log, store, counters } = this.#deps;
    try {
      const done = await reconcile(log, store, this.partition, this.#standing.watermark ?? WATERMARK_ZERO, this.#era);
      if (done === null) return false;
      counters.countReconciled(done);
      this.#logger.error(done, "the log had gone back: it is in line with the store again");
      return true;
    } catch (error) {
      this.#standing.enter({ state: "frozen", reason: `${reason}; ${describeError(error)}` });
      return false;
    }
  }

  /** Returns when it must catch up by range again, or stops; throws what holds the partition. */
  async #tail(): Promise<void> {
    const { log } = this.#deps;
    let expected = this.#standing.watermark;
    if (expected === null) return;
    const flight: InFlight[] = [];
    let reading = this.#read();
    let lookedMs = performance.now();
    try {
      while (!this.#stopping) {
        const entries = await reading;
        if (log.connections !== this.#connection) return;
        if (entries.length === 0) {
          if (!(await this.#settle(flight, 0))) return;
          if (performance.now() - lookedMs > IDLE_LOOK_MS) {
            lookedMs = performance.now();
            if (!(await this.#isUpToDate())) return;
          }
          await this.#wake.wait(POLL_MS);
          reading = this.#read();
          continue;
        }
        reading = this.#read();
        const decision = decide(entries, expected, this.#deps.applyUntilMs);
        if (decision.kind === "rewind" || decision.kind === "stop") return;
        if (decision.kind === "hold") throw unsupported(decision.version);
        for (const batch of decision.batches) {
          if (!(await this.#settle(flight, APPLIES_IN_FLIGHT_MAX - 1))) return;
          const reply = this.#applier.apply(expected, batch);
          // It is awaited later; until then a failure must not count as unhandled.
          reply.catch(() => undefined);
          flight.push({ batch, reply });
          expected = batch.after;
        }
        if (!decision.complete) break;
      }
      await this.#settle(flight, 0);
    } finally {
      // What a read on its way delivers stays pending; the next catch-up reads it by range.
      await Promise.allSettled(flight.map(({ reply }) => reply));
    }
  }

  /** Is the store where this worker left it, nothing after it in the log, and the time to stop not there? */
  async #isUpToDate(): Promise<boolean> {
    const { log, store, applyUntilMs } = this.#deps;
    if (Date.now() > applyUntilMs) return false;
    const [watermark, position] = await Promise.all([store.watermark(this.partition), log.position(this.partition)]);
    if (position.fenced || position.era !== this.#era) return false;
    return watermark.ordinal === this.#standing.watermark?.ordinal && watermark.ordinal === position.ordinal;
  }

  /** Waits until at most `left` applies are on their way. @returns false when one did not go through as expected */
  async #settle(flight: InFlight[], left: number): Promise<boolean> {
    while (flight.length > left) {
      const oldest = flight[0];
      if (!oldest) break;
      const reply = await oldest.reply;
      flight.shift();
      this.#standing.take(reply);
      if (reply.kind !== "applied") return false;
      await this.#ack(oldest.batch);
    }
    return true;
  }

  #read(): Promise<RawEntry[]> {
    const reading = this.#deliver();
    // It is awaited later; until then a failure must not count as unhandled.
    reading.catch(() => undefined);
    return reading;
  }

  async #deliver(): Promise<RawEntry[]> {
    const { log, consumer } = this.#deps;
    const entries = await log.deliver(this.partition, consumer, this.#readSize.count);
    this.#readSize.observe(entries);
    return entries;
  }

  async #ack(batch: Batch): Promise<void> {
    const ids = batch.entries.map(({ id }) => id);
    await this.#deps.log.ack(this.partition, ids);
  }
}
