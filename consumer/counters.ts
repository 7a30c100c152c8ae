/**
 * What this consumer has done since it started. Read by the metrics page.
 */
import type { ApplyReply, Watermark } from "../core/functions/apply.ts";

export class Counters {
  applied = 0;
  rejected = 0;
  dead = 0;
  repeated = 0;
  /** Commands that a producer counted and the log never held. */
  jumped = 0;
  batches = 0;
  /** Applies that found another watermark than expected. */
  mismatches = 0;
  /** Times a partition was held by a fault. */
  held = 0;
  takeovers = 0;
  /** Times a store came back older, and the log was replayed to it. */
  heals = 0;
  trimmed = 0;

  count(reply: Extract<ApplyReply, { kind: "applied" }>, before: Watermark | null): void {
    const commands = reply.watermark.ordinal - (before?.ordinal ?? reply.watermark.ordinal);
    this.applied += commands - reply.rejected - reply.dead - reply.repeated;
    this.rejected += reply.rejected;
    this.dead += reply.dead;
    this.repeated += reply.repeated;
    this.jumped += reply.jumped;
    this.batches += 1;
  }
}
