/**
 * Appends commands to the log, grouped: what one event-loop turn brings for a partition is one group, and groups that are
 * ready together are one call.
 *
 * Guarantees: the commands of one process for one partition and grade are in the log in the order of their submission;
 * each is there at most once, however often its group is resent; a promise that resolves means that the log holds the
 * command at the grade named.
 *
 * Each grade has its own lane on each partition, so that a write that asks for less never waits for replicas. A lane is
 * in one of three states:
 *   idle      nothing to send
 *   sending   one group is on its way; commands that come meanwhile wait for the next group
 *   resending the group's outcome is unknown (connection broken, too few replicas): the same group, with the same sequences,
 *             is sent again before anything newer, until the log answers or the commands' time is over
 *
 * A refusal by the log (out of memory, loading, too few replicas to write) is certain: nothing was written, and the next
 * group uses the same sequences. A group that is given up while its outcome is unknown may still arrive from a dead
 * connection: the lane goes on under a new producer name, so that its sequences can never be taken for the newer
 * group's, and a jump within one producer always means a lost write. Its first group says how far the name before it was.
 */
import { bytesIn, type Command } from "./command.ts";
import { type EntryId, idAfter } from "./entry-id.ts";
import { OperatingError } from "./errors.ts";
import type { Appended, Group } from "./functions/append.ts";
import { GRADES, type Grade } from "./grade.ts";
import { type Lane, openLane, type Pending, takeGroup } from "./lane.ts";
import { APPEND_QUEUE_MAX_BYTES, APPEND_QUEUE_MAX_COMMANDS, PRODUCER_RENEW_MS } from "./limits.ts";
import { pause } from "./pause.ts";
import { isMoving } from "./redis/options.ts";

export interface Accepted {
  readonly partition: number;
  readonly id: EntryId;
  /** The grade that was asked for, and reached. */
  readonly grade: Grade;
}

/** What the appender needs of the log. */
export interface GroupLog {
  append(partition: number, group: Group, grade: Grade): Promise<Appended>;
}

export interface AppenderOptions {
  readonly partitions: number;
  /** Unique to this process, new at every start. */
  readonly producer: string;
  /** How long a command may take to be in the log before its client is told that it is not, or that nobody knows. */
  readonly timeoutMs: number;
  /** False while the log is not usable at this grade: nothing is sent then. */
  readonly usable: (grade: Grade) => boolean;
}

/** Between two attempts to send a group again. */
const RESEND_PAUSE_MS = 25;

/** How often commands whose time is over are looked for: the grain of the timeout. */
const SWEEP_MS = 50;

export class Appender {
  readonly #log: GroupLog;
  readonly #options: AppenderOptions;
  readonly #lanes: readonly Lane[];
  readonly #byGrade: Readonly<Record<Grade, readonly Lane[]>>;
  /** Lanes with commands that nobody sends yet. */
  #dirty: Lane[] = [];
  #stopping = false;
  #idle: (() => void) | null = null;
  readonly #sweeper: NodeJS.Timeout;

  constructor(log: GroupLog, options: AppenderOptions) {
    this.#log = log;
    this.#options = options;
    const lanesOf = (grade: Grade) => Array.from({ length: options.partitions }, (_, at) => openLane(at, grade));
    this.#byGrade = { memory: lanesOf("memory"), replicated: lanesOf("replicated"), disk: lanesOf("disk") };
    this.#lanes = GRADES.flatMap((grade) => this.#byGrade[grade]);
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  /**
   * Puts a command in the log of its key's partition.
   * @throws OperatingError `log-unavailable` when it is certainly not there, `outcome-unknown` when it may be,
   * `overloaded` when too much is waiting already
   */
  submit(partition: number, command: Command, grade: Grade): Promise<Accepted> {
    const lane = this.#byGrade[grade][partition];
    if (lane === undefined || this.#stopping) return Promise.reject(unavailable("the process is stopping"));
    const bytes = bytesIn(command.operation);
    if (lane.queue.length >= APPEND_QUEUE_MAX_COMMANDS || lane.queuedBytes + bytes > APPEND_QUEUE_MAX_BYTES) {
      return Promise.reject(new OperatingError("overloaded", "too many commands wait for the log"));
    }
    return new Promise((resolve, reject) => {
      const deadlineMs = performance.now() + this.#options.timeoutMs;
      lane.queue.push({ command, bytes, deadlineMs, resolve, reject });
      lane.queuedBytes += bytes;
      if (!lane.busy && lane.queue.length === 1) this.#schedule(lane);
    });
  }

  /** Takes nothing new and resolves when every submitted command has its answer. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#lanes.some((lane) => lane.busy || lane.queue.length > 0)) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    clearInterval(this.#sweeper);
  }

  /** At the end of the turn, so that whatever else it brings joins the groups. */
  #schedule(lane: Lane): void {
    if (this.#dirty.push(lane) > 1) return;
    setImmediate(() => {
      const lanes = this.#dirty;
      this.#dirty = [];
      for (const each of lanes) void this.#run(each);
    });
  }

  /** Sends group after group until the lane is empty. */
  async #run(lane: Lane): Promise<void> {
    if (lane.busy) return;
    lane.busy = true;
    while (lane.queue.length > 0) await this.#send(lane, takeGroup(lane));
    lane.busy = false;
    if (this.#idle && this.#lanes.every((each) => !each.busy && each.queue.length === 0)) this.#idle();
  }

  async #send(lane: Lane, group: readonly Pending[]): Promise<void> {
    const commands = group.map(({ command }) => command);
    const deadlineMs = group[0]?.deadlineMs ?? 0;
    lane.sending = group;
    lane.unknown = false;
    if (lane.nextSequence > 1 && performance.now() - lane.acknowledgedMs > PRODUCER_RENEW_MS) {
      this.#renew(lane);
      lane.predecessor = null;
    }
    do {
      const refusal = await this.#attempt(lane, commands);
      if (refusal === null) return;
      // A refusal of a resent group says nothing of its first sending.
      if (refusal !== "again" && !lane.unknown) return refuse(group, refusal);
      await pause(RESEND_PAUSE_MS);
    } while (performance.now() < deadlineMs);
    refuse(group, timeoutError(lane.unknown));
    if (lane.unknown) this.#renew(lane);
  }

  /** Goes on under a new producer name. */
  #renew(lane: Lane): void {
    if (lane.nextSequence > 1) {
      lane.predecessor = { producer: this.#producerOf(lane), sequence: lane.nextSequence - 1 };
    }
    lane.generation += 1;
    lane.nextSequence = 1;
  }

  #producerOf({ grade, generation }: Lane): string {
    return `${this.#options.producer}.${grade[0]}${generation}`;
  }

  /** @returns null when the group is in the log, "again" when it should be sent again, or a certain refusal */
  async #attempt(lane: Lane, commands: readonly Command[]): Promise<OperatingError | "again" | null> {
    const { partition, grade, sending: group } = lane;
    if (!this.#options.usable(grade)) return "again";
    const { predecessor } = lane;
    const unknownBefore = lane.unknown;
    lane.unknown = true;
    try {
      const appended = await this.#log.append(
        partition,
        {
          producer: this.#producerOf(lane),
          firstSequence: lane.nextSequence,
          commands,
          ...(predecessor && { predecessor }),
        },
        grade,
      );
      lane.nextSequence += group.length;
      lane.predecessor = null;
      lane.acknowledgedMs = performance.now();
      group.forEach(({ resolve }, index) => {
        resolve({ partition, id: idAfter(appended.firstId, index), grade });
      });
      return null;
    } catch (error) {
      if (isUnsent(error)) lane.unknown = unknownBefore;
      if (!isRefusal(error)) return "again";
      lane.unknown = unknownBefore;
      if (isMoving(error)) return "again";
      if (error.message.startsWith("MRSEQUENCE")) this.#renew(lane);
      return unavailable("the log refuses writes", error);
    }
  }

  /** Answers the commands whose time is over, also while a connection hangs. */
  #sweep(): void {
    const nowMs = performance.now();
    for (const lane of this.#lanes) {
      if (lane.busy && lane.sending[0] && lane.sending[0].deadlineMs < nowMs) {
        refuse(lane.sending, timeoutError(lane.unknown));
      }
      while (lane.queue[0] && lane.queue[0].deadlineMs < nowMs) {
        const expired = lane.queue.shift();
        if (!expired) break;
        lane.queuedBytes -= expired.bytes;
        expired.reject(timeoutError(false));
      }
    }
  }
}

/** Redis answered, and the answer is no: nothing was written. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** Nobody could have confirmed it, so it was not sent. */
function isUnsent(error: unknown): boolean {
  return error instanceof OperatingError && error.code === "not-settled";
}

function refuse(group: readonly Pending[], error: OperatingError): void {
  for (const { reject } of group) reject(error);
}

function timeoutError(unknown: boolean): OperatingError {
  return unknown
    ? new OperatingError("outcome-unknown", "the log did not answer in time")
    : unavailable("no connection to the log");
}

function unavailable(message: string, cause?: unknown): OperatingError {
  return new OperatingError("log-unavailable", message, { cause });
}
