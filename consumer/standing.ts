/**
 * How one partition stands for the worker that has it: state, watermark, and the highest watermark ever reached. Whatever
 * changes is told once: to the log, to the counters and to the coordinator, who tells the others.
 */
import type { Logger } from "pino";
import { FaultLog } from "../core/fault-log.ts";
import type { ApplyReply, Watermark } from "../core/functions/apply.ts";
import { isHalted, type OwnerWord, type PartitionState, STATE_OK } from "../core/partition-state.ts";
import type { Counters } from "./counters.ts";

export interface StandingDependencies {
  readonly logger: Logger;
  readonly counters: Counters;
  /** Told when the state has changed. */
  readonly onStateChange: () => void;
}

export class Standing {
  readonly #deps: StandingDependencies;
  readonly #faults: FaultLog;
  #state: PartitionState = { state: "held", reason: "starting" };
  #watermark: Watermark | null = null;
  #reached: Watermark | null;
  /** Where the store came back, until it is where it was before. */
  #recoveringFrom: Watermark | null = null;

  /** @param reached as the owner before told it: clients may have seen what was applied up to there */
  constructor(deps: StandingDependencies, reached: Watermark | null) {
    this.#deps = deps;
    this.#faults = new FaultLog(deps.logger);
    this.#reached = reached;
  }

  /** As far as the store is known to be; null before anybody has looked. */
  get watermark(): Watermark | null {
    return this.#watermark;
  }

  get word(): OwnerWord {
    return { ...this.#state, reached: this.#reached };
  }

  /** The state of a partition that goes on: is it where it was before already? */
  get going(): PartitionState {
    if (this.#recoveringFrom === null) return STATE_OK;
    const reason = `replaying the log from command ${this.#recoveringFrom.ordinal} to ${this.#reached?.ordinal}`;
    return { state: "recovering", reason };
  }

  /** @returns the watermark after the call */
  take(reply: ApplyReply): Watermark {
    const { counters, logger } = this.#deps;
    const before = this.#watermark;
    this.moveTo(reply.watermark);
    if (reply.kind !== "applied") {
      counters.mismatches += 1;
      logger.info({ verdict: reply.kind, watermark: reply.watermark }, "apply had no effect: catching up");
      return reply.watermark;
    }
    counters.count(reply, before);
    if (reply.jumped > 0) logger.error({ jumped: reply.jumped }, "the log has lost commands that producers counted");
    return reply.watermark;
  }

  moveTo(watermark: Watermark): void {
    this.#watermark = watermark;
    if (this.#reached === null || watermark.ordinal >= this.#reached.ordinal) {
      this.#reached = watermark;
      this.#recoveringFrom = null;
      return;
    }
    if (this.#recoveringFrom !== null && watermark.ordinal >= this.#recoveringFrom.ordinal) return;
    this.#recoveringFrom = watermark;
    this.#deps.counters.heals += 1;
    this.#deps.logger.warn({ from: this.#reached, to: watermark }, "the store went back: replaying the log from there");
  }

  enter(state: PartitionState): void {
    const before = this.#state;
    this.#state = state;
    if (state.state === "held" || state.state === "unconfirmed") {
      this.#faults.fault({ ...state, watermark: this.#watermark }, "partition held");
    } else if (state.state === "ok") this.#faults.over({ watermark: this.#watermark }, "partition goes on");
    if (before.state === state.state && before.reason === state.reason) return;
    const { logger, counters, onStateChange } = this.#deps;
    if (before.state !== state.state) counters.enter(state.state);
    onStateChange();
    const line = { state: state.state, reason: state.reason, watermark: this.#watermark };
    if (isHalted(state)) logger.error(line, "partition halted");
    else if (state.state === "ok") logger.debug(line, "partition is up to date");
    else if (state.state === "recovering") logger.warn(line, "partition recovers");
  }
}
