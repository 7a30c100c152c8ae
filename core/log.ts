/**
 * The log: the partitions' streams, seen through one connection.
 *
 * Guarantees: a group appended twice is in the log once (rule R4); what {@link Log.deliver} and {@link Log.range} return
 * is held by all replicas that might become master (rules R2 and R3), and comes in log order; functions that a Redis has
 * lost are loaded again, and the call repeated, because nothing was executed then.
 */
import { alignGroup, type IdRange } from "./align-group.ts";
import { AppendBatcher } from "./append-batcher.ts";
import type { EntryId } from "./entry-id.ts";
import { unavailable } from "./errors.ts";
import {
  type Appended,
  type Group,
  type LogPosition,
  parsePosition,
  positionCall,
  trimCall,
} from "./functions/append.ts";
import type { Watermark } from "./functions/apply.ts";
import {
  type CoordinateRequest,
  type Coordination,
  coordinateCall,
  type Ownership,
  ownershipCall,
  parseCoordination,
  parseOwnership,
} from "./functions/coordinate.ts";
import { giveUpCall, parseGivenUp } from "./functions/give-up.ts";
import { isFunctionMissing, type Library, loadLibrary, logLibrary } from "./functions/library.ts";
import {
  type HeaderPage,
  type HeaderRange,
  parseFirstId,
  parseHeaderPage,
  readHeadersCall,
} from "./functions/read-headers.ts";
import {
  type Fence,
  fenceCall,
  type Move,
  moveCall,
  parseFence,
  parseReconciliation,
  type Reconciliation,
  unfenceCall,
} from "./functions/reconcile.ts";
import type { Grade } from "./grade.ts";
import { APPLY_GROUP, keysAt, type PartitionKeys, partitionKeys } from "./keys.ts";
import { Coalescer } from "./redis/coalescer.ts";
import type { Call, Link } from "./redis/link.ts";

/** An entry as the stream holds it: id, and field names and values in turn. */
export type RawEntry = readonly [id: EntryId, fields: readonly Buffer[]];

export class Log {
  readonly #link: Link;
  readonly #library: Library = logLibrary();
  readonly #keys: readonly PartitionKeys[];
  readonly #appends: Readonly<Record<Grade, AppendBatcher>>;
  /** What must be confirmed, of all partitions in one turn: one WAIT for all. */
  readonly #reads: Coalescer;

  constructor(link: Link, partitions: number) {
    this.#link = link;
    this.#keys = partitionKeys(partitions);
    const batcher = (grade: Grade) =>
      new AppendBatcher({
        grade,
        library: this.#library,
        coalescer: new Coalescer(link, grade, "step"),
        spread: link.isCluster,
        prepare: () => this.prepare(),
      });
    this.#appends = { memory: batcher("memory"), replicated: batcher("replicated"), disk: batcher("disk") };
    this.#reads = new Coalescer(link, "replicated", "turn");
  }

  /** Counts connections: after each new one it may be another Redis, with another history. */
  get connections(): number {
    return this.#link.connections;
  }

  /** Makes a new connection useful: loads the functions, and learns how the server's disk confirms. */
  async prepare(): Promise<void> {
    await Promise.all([loadLibrary(this.#link, this.#library), this.#link.learnDiskSync()]);
  }

  /**
   * Can this log give the grade: yes, never, or nobody can say now?
   * A standalone log has no replicas that we know of; how a cluster's disks and replicas confirm cannot be asked in one call.
   */
  gives(grade: Grade): "yes" | "no" | "not-now" {
    const { diskSync, url } = this.#link;
    if (grade === "memory") return "yes";
    if (url.kind === "cluster" || (grade === "replicated" && url.kind === "standalone")) return "no";
    if (grade === "disk" && diskSync === "none") return "no";
    if (grade === "disk" && diskSync === null) return "not-now";
    return this.#link.quorum().settled ? "yes" : "not-now";
  }

  /** What a write gets that asks for nothing: `replicated` where the log has replicas. */
  get defaultGrade(): Grade {
    return this.#link.url.kind === "sentinel" ? "replicated" : "memory";
  }

  /** Appends a group, once. See {@link AppendBatcher.send} for what its errors mean. */
  append(partition: number, group: Group, grade: Grade = "memory"): Promise<Appended> {
    return this.#appends[grade].send(this.#at(partition), group);
  }

  /** The next entries that the group has given to nobody; they stay pending until {@link ack}. */
  async deliver(partition: number, consumer: string, count: number): Promise<RawEntry[]> {
    const { log } = this.#at(partition);
    const reply = await this.#reads.send({
      name: "XREADGROUP",
      args: ["GROUP", APPLY_GROUP, consumer, "COUNT", count, "STREAMS", log, ">"],
    });
    const streams = reply as [Buffer, [Buffer, Buffer[]][]][] | null;
    return toEntries(streams?.[0]?.[1] ?? []);
  }

  /** Entries after an id, whoever they were delivered to. */
  async range(partition: number, after: EntryId, count: number): Promise<RawEntry[]> {
    const reply = await this.#reads.send({
      name: "XRANGE",
      args: [this.#at(partition).log, `(${after}`, "+", "COUNT", count],
    });
    return toEntries(reply as [Buffer, Buffer[]][]);
  }

  /** Entries from one id to another, both included; `+` is the end. */
  async between(partition: number, from: EntryId, to: EntryId, count: number): Promise<RawEntry[]> {
    const { log } = this.#at(partition);
    const reply = await this.#reads.send({ name: "XRANGE", args: [log, from, to, "COUNT", count] });
    return toEntries(reply as [Buffer, Buffer[]][]);
  }

  /** The newest entry before an id. */
  async before(partition: number, id: EntryId): Promise<RawEntry | undefined> {
    const { log } = this.#at(partition);
    const reply = await this.#reads.send({ name: "XREVRANGE", args: [log, `(${id}`, "-", "COUNT", 1] });
    return toEntries(reply as [Buffer, Buffer[]][])[0];
  }

  /** Commands without their values, confirmed. See read-headers.lua. */
  async headers(partition: number, range: HeaderRange): Promise<HeaderPage> {
    const reply = this.#confirmed(readHeadersCall(this.#library, this.#at(partition), range));
    return parseHeaderPage(await reply.catch(unavailable("log-unavailable")), range);
  }

  /** The oldest entry after an id that this connection's server holds, confirmed or not; null: there is none. */
  async oldestAfter(partition: number, id: EntryId): Promise<EntryId | null> {
    const range = { after: id, to: "+", watermark: id, entries: 1, bytes: 1 };
    const call = readHeadersCall(this.#library, this.#at(partition), range);
    const reply = this.#withLibrary(() => this.#link.call(call));
    return parseFirstId(await reply.catch(unavailable("log-unavailable")));
  }

  /** One entry, or null when the log does not hold it. */
  async find(partition: number, id: EntryId): Promise<RawEntry | null> {
    const call = { name: "XRANGE", args: [this.#at(partition).log, id, id] };
    const reply = await this.#link.call(call).catch(unavailable("log-unavailable"));
    return toEntries(reply as [Buffer, Buffer[]][])[0] ?? null;
  }

  async ack(partition: number, ids: readonly EntryId[]): Promise<void> {
    await this.#link.call({ name: "XACK", args: [this.#at(partition).log, APPLY_GROUP, ...ids] });
  }

  /** Puts the group where the watermark is. See {@link alignGroup}. */
  alignGroup(partition: number, watermark: Watermark, consumer: string): Promise<IdRange | null> {
    return alignGroup(this.#link, this.#at(partition).log, watermark, consumer);
  }

  /** Where the server that we are connected to says that the partition stands. */
  async position(partition: number): Promise<LogPosition> {
    const call = positionCall(this.#library, this.#at(partition));
    const reply = this.#withLibrary(() => this.#link.call(call));
    return parsePosition(await reply.catch(unavailable("log-unavailable")));
  }

  /** The same, confirmed: a deposed master's word that the log went back is not believed. */
  async confirmedPosition(partition: number): Promise<LogPosition> {
    return parsePosition(await this.#confirmed(positionCall(this.#library, this.#at(partition))));
  }

  /** Positions of all partitions, in order. */
  positions(): Promise<LogPosition[]> {
    return Promise.all(this.#keys.map(({ partition }) => this.position(partition)));
  }

  /** Drops entries up to and including an id. Only ever called with ids behind the watermark. */
  async trim(partition: number, upTo: EntryId): Promise<number> {
    const call = trimCall(this.#library, this.#at(partition), upTo);
    return Number(await this.#withLibrary(() => this.#link.call(call)));
  }

  /**
   * Removes what the log holds after an id, because an operator has given it up; confirmed by the log's replicas.
   * @param last of the log when the operator looked: with another one nothing more is removed
   * @returns false when the log has gone on since
   */
  async giveUp(partition: number, after: EntryId, last: EntryId): Promise<boolean> {
    const call = giveUpCall(this.#library, this.#at(partition), after, last);
    for (;;) {
      const removed = parseGivenUp(await this.#confirmed(call).catch(unavailable("log-unavailable")));
      if (removed === null || removed === 0) return removed === 0;
    }
  }

  /**
   * Stops appends, and puts the log's ids, ordinals and floor at the watermark.
   * @param era in which the log was found to have gone back
   * @returns null when it was brought into line since
   */
  async fence(partition: number, watermark: Watermark, era: number): Promise<Fence | null> {
    const call = fenceCall(this.#library, this.#at(partition), watermark, era);
    return parseFence(await this.#confirmed(call));
  }

  /** Moves entries to the log's end, and drops others. @returns false when that fence does not stand any more */
  async move(partition: number, fence: Fence, moves: readonly Move[], drops: readonly EntryId[]): Promise<boolean> {
    const call = moveCall(this.#library, this.#at(partition), fence, moves, drops);
    return (await this.#confirmed(call)) !== null;
  }

  /** Appends go on. @returns null when that fence does not stand any more */
  async unfence(partition: number, fence: Fence): Promise<Reconciliation | null> {
    const call = unfenceCall(this.#library, this.#at(partition), fence);
    const record = (await this.#confirmed(call)) as Buffer | null;
    return parseReconciliation(record === null ? null : String(record));
  }

  async coordinate(request: CoordinateRequest): Promise<Coordination> {
    const call = coordinateCall(this.#library, request);
    return parseCoordination(await this.#withLibrary(() => this.#link.call(call)));
  }

  /** Who owns what, and how it stands. */
  async ownership(): Promise<Ownership> {
    const reply = this.#withLibrary(() => this.#link.call(ownershipCall(this.#library)));
    return parseOwnership(await reply.catch(unavailable("log-unavailable")));
  }

  #confirmed(call: Call): Promise<unknown> {
    return this.#withLibrary(() => this.#reads.send(call));
  }

  async #withLibrary(call: () => Promise<unknown>): Promise<unknown> {
    try {
      return await call();
    } catch (error) {
      if (!isFunctionMissing(error)) throw error;
      await this.prepare();
      return await call();
    }
  }

  #at(partition: number): PartitionKeys {
    return keysAt(this.#keys, partition);
  }
}

function toEntries(reply: readonly (readonly [Buffer, Buffer[] | null])[]): RawEntry[] {
  const entries: RawEntry[] = [];
  for (const [id, fields] of reply) {
    // A pending entry that was trimmed comes back without fields: it is behind every watermark.
    if (fields !== null) entries.push([id.toString("latin1"), fields]);
  }
  return entries;
}
