/**
 * Keeps this consumer in the group of live consumers, and works the partitions that are its share.
 *
 * A round: say that we live, learn who else does; give up what is another's share (after the batch in hand), take what is
 * ours and free; start and stop workers. Rounds come every third of the lease, and at once when somebody says that
 * something changed: so a partition given up by one is taken by another within milliseconds. A consumer that dies is
 * noticed when its lease runs out; one that was frozen finds out in its next round, and until then apply's
 * compare-and-set makes it harmless.
 */
import type { Logger } from "pino";
import { describeError } from "../core/errors.ts";
import { FaultLog } from "../core/fault-log.ts";
import type { Watermark } from "../core/functions/apply.ts";
import type { Coordination } from "../core/functions/coordinate.ts";
import type { Log } from "../core/log.ts";
import { formatOwnerWord, isHalted, parseOwnerWord } from "../core/partition-state.ts";
import type { Service } from "../core/service.ts";
import { SignalFlag } from "../core/signal-flag.ts";
import { assign } from "./assignment.ts";
import { PartitionWorker, type WorkerDependencies } from "./partition-worker.ts";

export interface CoordinatorOptions {
  readonly partitions: number;
  readonly leaseMs: number;
  /** False while log or store is not usable: no partition is taken then. */
  readonly usable: () => boolean;
}

const LEAVE_MAX_MS = 2000;

export class Coordinator implements Service {
  readonly #log: Log;
  readonly #logger: Logger;
  readonly #faults: FaultLog;
  readonly #deps: Omit<WorkerDependencies, "onStateChange">;
  readonly #options: CoordinatorOptions;
  readonly #workers = new Map<number, PartitionWorker>();
  readonly #change = new SignalFlag();
  #stopping = false;
  #done: Promise<void> | null = null;
  #lastRoundMs: number | null = null;

  constructor(deps: Omit<WorkerDependencies, "onStateChange">, options: CoordinatorOptions) {
    this.#deps = deps;
    this.#log = deps.log;
    this.#logger = deps.logger;
    this.#faults = new FaultLog(deps.logger);
    this.#options = options;
  }

  get workers(): ReadonlyMap<number, PartitionWorker> {
    return this.#workers;
  }

  /** Partitions whose log and store fit together, as far as their workers know: no others may be trimmed. */
  steady(): number[] {
    return [...this.#workers.values()].flatMap(({ partition, word }) => (isHalted(word) ? [] : [partition]));
  }

  /** Has a round gone through within the last lease? */
  get inTouch(): boolean {
    return this.#lastRoundMs !== null && performance.now() - this.#lastRoundMs < this.#options.leaseMs;
  }

  /** A consumer came, went or gave something up, or a worker's state changed: a round is due. */
  wake(): void {
    this.#change.raise();
  }

  async start(): Promise<void> {
    this.#done ??= this.#run();
  }

  /** Finishes the batches in hand, then gives everything up at once. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#change.raise();
    // One that never began has nothing to give up, and maybe no connection.
    if (this.#done === null) return;
    await this.#done;
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    const left = this.#coordinate(0, [], []).catch((error: unknown) => {
      this.#logger.warn({ error: describeError(error) }, "could not leave: the lease will run out");
    });
    await Promise.race([left, new Promise((resolve) => setTimeout(resolve, LEAVE_MAX_MS).unref())]);
    this.#workers.clear();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      if (this.#options.usable()) {
        try {
          await this.#round();
          this.#lastRoundMs = performance.now();
          this.#faults.over({}, "rounds go through again");
        } catch (error) {
          // Workers go on: they hold by themselves while a Redis is away, and need no lease to be safe.
          this.#faults.fault({ error: describeError(error) }, "round failed");
        }
      }
      await this.#change.wait(this.#options.leaseMs / 3);
    }
  }

  async #round(): Promise<void> {
    const seen = await this.#coordinate(this.#options.leaseMs, [], []);
    const share = this.#share(seen);
    const foreign = [...this.#workers.values()].filter(
      ({ partition }) => !share.has(partition) || seen.owners.get(partition) !== this.#deps.consumer,
    );
    await Promise.all(foreign.map((worker) => worker.stop()));
    for (const { partition } of foreign) this.#workers.delete(partition);

    const release = [...seen.owners].flatMap(([partition, owner]) =>
      owner === this.#deps.consumer && !share.has(partition) ? [partition] : [],
    );
    const claim = [...share].filter((partition) => !seen.owners.has(partition));
    const settled =
      release.length + claim.length > 0 ? await this.#coordinate(this.#options.leaseMs, release, claim) : seen;
    const taken = [...share].filter(
      (partition) => settled.owners.get(partition) === this.#deps.consumer && !this.#workers.has(partition),
    );
    if (taken.length === 0) return;
    // How far the owners before were: a store that is behind that went back, whoever notices.
    const { states } = await this.#log.ownership();
    for (const partition of taken) this.#work(partition, parseOwnerWord(states.get(partition) ?? "")?.reached ?? null);
  }

  #share(seen: Coordination): ReadonlySet<number> {
    const owners = assign(this.#options.partitions, seen.consumers);
    return new Set([...owners].flatMap(([partition, owner]) => (owner === this.#deps.consumer ? [partition] : [])));
  }

  #work(partition: number, reached: Watermark | null): void {
    if (this.#workers.has(partition) || this.#stopping) return;
    const worker = new PartitionWorker(partition, { ...this.#deps, onStateChange: () => this.wake() }, reached);
    this.#workers.set(partition, worker);
    this.#deps.counters.takeovers += 1;
    worker.start();
  }

  #coordinate(leaseMs: number, release: readonly number[], claim: readonly number[]): Promise<Coordination> {
    const states = new Map(
      [...this.#workers.values()].map((worker) => [worker.partition, formatOwnerWord(worker.word)] as const),
    );
    return this.#log.coordinate({ consumer: this.#deps.consumer, leaseMs, release, claim, states });
  }
}
