/**
 * What waits for the log on one partition at one grade, and under which producer it goes there. See appender.ts.
 */

import type { Accepted } from "./appender.ts";
import type { ProducerStamp } from "./codec.ts";
import type { Command } from "./command.ts";
import type { OperatingError } from "./errors.ts";
import type { Grade } from "./grade.ts";
import { APPEND_CALL_MAX_BYTES, APPEND_CALL_MAX_COMMANDS } from "./limits.ts";

export interface Pending {
  readonly command: Command;
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly resolve: (accepted: Accepted) => void;
  readonly reject: (error: OperatingError) => void;
}

export interface Lane {
  readonly partition: number;
  readonly grade: Grade;
  queue: Pending[];
  queuedBytes: number;
  /** The group on its way. */
  sending: readonly Pending[];
  /** That group may be in the log. */
  unknown: boolean;
  busy: boolean;
  nextSequence: number;
  /** What was acknowledged under the name before, until the log knows. */
  predecessor: ProducerStamp | null;
  /** When the log last acknowledged a group. */
  acknowledgedMs: number;
  /** Counts producers given up on this lane; part of the producer's name. */
  generation: number;
}

export function openLane(partition: number, grade: Grade): Lane {
  return {
    partition,
    grade,
    queue: [],
    queuedBytes: 0,
    sending: [],
    unknown: false,
    busy: false,
    nextSequence: 1,
    predecessor: null,
    acknowledgedMs: 0,
    generation: 0,
  };
}

/** The next group: what waits, up to the bounds of a call. */
export function takeGroup(lane: Lane): Pending[] {
  let count = 0;
  let bytes = 0;
  for (const pending of lane.queue) {
    if (count === APPEND_CALL_MAX_COMMANDS || (count > 0 && bytes + pending.bytes > APPEND_CALL_MAX_BYTES)) break;
    count += 1;
    bytes += pending.bytes;
  }
  lane.queuedBytes -= bytes;
  if (count === lane.queue.length) {
    const all = lane.queue;
    lane.queue = [];
    return all;
  }
  return lane.queue.splice(0, count);
}
