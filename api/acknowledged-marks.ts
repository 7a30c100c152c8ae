/**
 * Notices a log that went back behind what it has acknowledged to this process: a group of ours is then given ordinals
 * that earlier ones had. The jump in a producer's sequence (rule R4) tells the same to the consumer, later: when it
 * comes to what was appended since.
 */
import type { Grade } from "../core/grade.ts";

export class AcknowledgedMarks {
  /** The highest ordinal of ours, by grade and partition: each of these is acknowledged in the order of the log. */
  readonly #marks: Readonly<Record<Grade, number[]>>;
  readonly #onGone: (partition: number, commands: number) => void;
  #gone = 0;

  /** @param onGone told how many commands up to the highest of ours the log no longer counts: others' are among them */
  constructor(partitions: number, onGone: (partition: number, commands: number) => void) {
    const none = () => Array.from({ length: partitions }, () => 0);
    this.#marks = { memory: none(), replicated: none(), disk: none() };
    this.#onGone = onGone;
  }

  /** Commands gone so far, over all partitions. */
  get gone(): number {
    return this.#gone;
  }

  /** A group of ours is in the log. Called in the order in which its lane was answered. */
  acknowledged(grade: Grade, partition: number, firstOrdinal: number, lastOrdinal: number): void {
    const marks = this.#marks[grade];
    const before = marks[partition] ?? 0;
    marks[partition] = lastOrdinal;
    if (firstOrdinal > before) return;
    const commands = before - firstOrdinal + 1;
    this.#gone += commands;
    this.#onGone(partition, commands);
  }
}
