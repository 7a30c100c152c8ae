/**
 * What this consumer has done since it started. Read by the metrics page.
 */
import type { ApplyReply, Watermark } from "../core/functions/apply.ts";
import type { Reconciliation } from "../core/functions/reconcile.ts";
import type { PartitionStateName } from "../core/partition-state.ts";

export class Counters {
  applied = 0;
  rejected = 0;
  dead = 0;
  repeated = 0;
  /** Commands that a producer counted and the log never held. */
  jumped = 0;
  /** Applies that found another watermark than expected. */
  mismatches = 0;
  /** Times a partition was held by a fault. */
  held = 0;
  takeovers = 0;
  /** Times a store came back older, and the log was replayed to it. */
  heals = 0;
  trimmed = 0;
  /** Times a log that had gone back was brought into line with its store. */
  reconciliations = 0;
  /** Commands that such a log had lost and the store had applied. */
  missedByLog = 0;
  /** Commands that such a log held and the store did not know. */
  reappended = 0;
  /** Times a partition came into each state. */
  readonly entered = new Map<PartitionStateName, number>();

  enter(state: PartitionStateName): void {
    this.entered.set(state, (this.entered.get(state) ?? 0) + 1);
  }

  countReconciled({ lost, reappended }: Reconciliation): void {
    this.reconciliations += 1;
    this.missedByLog += lost;
    this.reappended += reappended;
  }
  /** Those of them that went before their time, to make room. */
  trimmedEarly = 0;

  count(reply: Extract<ApplyReply, { kind: "applied" }>, before: Watermark | null): void {
    const commands = reply.watermark.ordinal - (before?.ordinal ?? reply.watermark.ordinal);
    this.applied += commands - reply.rejected - reply.dead - reply.repeated;
    this.rejected += reply.rejected;
    this.dead += reply.dead;
    this.repeated += reply.repeated;
    this.jumped += reply.jumped;
  }
}
