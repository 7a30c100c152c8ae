/**
 * Works one partition: brings its store up to its log, in order, for as long as this consumer owns it.
 *
 * States, and what a crash in each leaves behind (the next owner begins at `catching up` whatever it finds):
 *   catching up  reads by range from the store's watermark, whatever the group says, until nothing is left; then puts the
 *                group where the watermark is. Crash: entries that were delivered to the dead consumer stay pending until the
 *                next owner's alignment; those behind the watermark are acked there, the others are read by range.
 *   tailing      takes deliveries of the group; while one batch is applied the next is on its way and one more is being
 *                read. Crash after a read: pending, not applied, read again by range. Crash after apply: applied, not
 *                acked; the watermark says so. Crash after ack: nothing to do.
 *   held         a fault stops it; nothing is skipped; after a pause it catches up again.
 *   halted       log and store do not fit together; looked at again each second, and told loudly.
 *
 * Safety rests on apply's compare-and-set alone: two workers on one partition disturb each other's pace, nothing else.
 */
import type { Logger } from "pino";
import type { EntryId } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import { type ApplyReply, WATERMARK_ZERO, type Watermark } from "../core/functions/apply.ts";
import type { Log, RawEntry } from "../core/log.ts";
import { examine, isHalted, type PartitionState, STATE_OK } from "../core/partition-state.ts";
import type { Store } from "../core/store.ts";
import type { Counters } from "./counters.ts";
import { type Batch, decide, stateOfFault } from "./decide.ts";
import { ReadSize } from "./read-size.ts";
import { SignalFlag } from "./signal-flag.ts";

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

export interface WorkerDependencies {
  readonly log: Log;
  readonly store: Store;
  readonly logger: Logger;
  readonly counters: Counters;
  /** The name this process has in the consumer group. */
  readonly consumer: string;
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
  readonly #wake = new SignalFlag();
  readonly #stopped = new SignalFlag();
  readonly #readSize = new ReadSize();
  #state: PartitionState = { state: "held", reason: "starting" };
  #watermark: Watermark | null = null;
  #stopping = false;
  #done: Promise<void> | null = null;

  constructor(partition: number, deps: WorkerDependencies) {
    this.partition = partition;
    this.#deps = deps;
    this.#logger = deps.logger.child({ partition });
  }

  get state(): PartitionState {
    return this.#state;
  }

  /** As far as this worker knows the store to be; null before it has looked. */
  get watermark(): Watermark | null {
    return this.#watermark;
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
    while (!this.#stopping) {
      try {
        const verdict = await this.#catchUp();
        if (isHalted(verdict)) {
          this.#enter(verdict);
          await this.#stopped.wait(HALT_LOOK_MS);
          continue;
        }
        if (this.#stopping) break;
        this.#enter(STATE_OK);
        pauseMs = HOLD_MIN_MS;
        await this.#tail();
      } catch (error) {
        this.#enter(stateOfFault(error));
        this.#deps.counters.held += 1;
        await this.#stopped.wait(pauseMs);
        pauseMs = Math.min(pauseMs * 2, HOLD_MAX_MS);
      }
    }
  }

  /** @returns ok when the store holds all that the log had, else the state that forbids to go on */
  async #catchUp(): Promise<PartitionState> {
    const { log, store } = this.#deps;
    this.#moveTo(await store.watermark(this.partition));
    for (;;) {
      let watermark = this.#watermark ?? WATERMARK_ZERO;
      if (this.#stopping) return STATE_OK;
      const position = await log.position(this.partition);
      const verdict = examine(position, watermark);
      if (isHalted(verdict)) return verdict;
      const entries = await log.range(this.partition, watermark.id, this.#readSize.count);
      this.#readSize.observe(entries);
      if (entries.length === 0) {
        if (position.ordinal > watermark.ordinal) return missing(position.ordinal - watermark.ordinal, watermark);
        break;
      }
      const decision = decide(entries, watermark);
      if (decision.kind === "rewind") return broken(decision.id, decision.ordinal, watermark);
      if (decision.kind === "hold") throw unsupported(decision.version);
      for (const batch of decision.batches) {
        const reply = await store.apply(this.partition, watermark, batch.entries);
        this.#take(reply);
        watermark = reply.watermark;
        if (reply.kind !== "applied") break;
        this.#enter(STATE_OK);
      }
    }
    await log.alignGroup(this.partition, this.#watermark ?? WATERMARK_ZERO, this.#deps.consumer);
    return STATE_OK;
  }

  /** Returns when it must catch up by range again, or stops; throws what holds the partition. */
  async #tail(): Promise<void> {
    let expected = this.#watermark;
    if (expected === null) return;
    const flight: InFlight[] = [];
    let reading = this.#read();
    let lookedMs = performance.now();
    try {
      while (!this.#stopping) {
        const entries = await reading;
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
        const decision = decide(entries, expected);
        if (decision.kind === "rewind") return;
        if (decision.kind === "hold") throw unsupported(decision.version);
        for (const batch of decision.batches) {
          if (!(await this.#settle(flight, APPLIES_IN_FLIGHT_MAX - 1))) return;
          const reply = this.#deps.store.apply(this.partition, expected, batch.entries);
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

  /** Is the store where this worker left it, and is there nothing after it in the log? */
  async #isUpToDate(): Promise<boolean> {
    const { log, store } = this.#deps;
    const [watermark, position] = await Promise.all([store.watermark(this.partition), log.position(this.partition)]);
    return watermark.ordinal === this.#watermark?.ordinal && watermark.ordinal === position.ordinal;
  }

  /** Waits until at most `left` applies are on their way. @returns false when one did not go through as expected */
  async #settle(flight: InFlight[], left: number): Promise<boolean> {
    while (flight.length > left) {
      const oldest = flight[0];
      if (!oldest) break;
      const reply = await oldest.reply;
      flight.shift();
      this.#take(reply);
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
    await this.#deps.log.ack(
      this.partition,
      batch.entries.map(({ id }) => id),
    );
  }

  #take(reply: ApplyReply): void {
    const { counters } = this.#deps;
    const before = this.#watermark;
    this.#moveTo(reply.watermark);
    if (reply.kind !== "applied") {
      counters.mismatches += 1;
      this.#logger.info({ verdict: reply.kind, watermark: reply.watermark }, "apply had no effect: catching up");
      return;
    }
    counters.count(reply, before);
    if (reply.dead > 0) this.#logger.warn({ dead: reply.dead, watermark: reply.watermark }, "commands parked");
    if (reply.jumped > 0)
      this.#logger.error({ jumped: reply.jumped }, "the log has lost commands that producers counted");
  }

  #moveTo(watermark: Watermark): void {
    const before = this.#watermark;
    this.#watermark = watermark;
    if (before === null || watermark.ordinal >= before.ordinal) return;
    this.#deps.counters.heals += 1;
    this.#logger.warn({ from: before, to: watermark }, "the store went back: replaying the log from there");
  }

  #enter(state: PartitionState): void {
    const before = this.#state;
    this.#state = state;
    if (before.state === state.state && before.reason === state.reason) return;
    this.#deps.onStateChange();
    const line = { state: state.state, reason: state.reason, watermark: this.#watermark };
    if (isHalted(state)) this.#logger.error(line, "partition halted");
    else if (state.state === "ok") this.#logger.debug(line, "partition is up to date");
    else this.#logger.warn(line, "partition held");
  }
}

function missing(count: number, watermark: Watermark): PartitionState {
  return { state: "lost-base", reason: `the log lacks ${count} commands after ${watermark.id}` };
}

/** The log's own chain of ordinals does not go on from the watermark. */
function broken(id: EntryId, ordinal: number, watermark: Watermark): PartitionState {
  const reason = `after command ${watermark.ordinal} the log goes on with ${ordinal} at ${id}`;
  return { state: ordinal <= watermark.ordinal ? "frozen" : "lost-base", reason };
}

function unsupported(version: string): OperatingError {
  return new OperatingError("unsupported-version", `the log holds a command of version ${version}`);
}
