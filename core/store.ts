/**
 * The store: values and watermarks, seen through one connection.
 *
 * Guarantees: {@link Store.apply} is one atomic call (rules R1 and R4); a value and the watermark it is read at come from
 * one moment.
 */
import type { Result } from "./command.ts";
import type { LetterCount, LetterPage } from "./dead-letter.ts";
import { type EntryId, ID_ZERO, idTimeMs } from "./entry-id.ts";
import { unavailable } from "./errors.ts";
import { type AcceptedLoss, advanceCall, parseAdvanced, parseLosses } from "./functions/advance.ts";
import {
  type ApplicableEntry,
  type ApplyReply,
  applyCall,
  formatWatermark,
  parseApplyReply,
  parseResult,
  parseWatermark,
  type Watermark,
} from "./functions/apply.ts";
import {
  type FoundLetter,
  foreseeCall,
  listLettersCall,
  type PlannedReplay,
  parseForeseen,
  parseFoundLetter,
  parseLetterPage,
  readLetterCall,
} from "./functions/dead-letters.ts";
import { isFunctionMissing, type Library, loadLibrary, storeLibrary } from "./functions/library.ts";
import { type KeyPage, type KeyRange, listKeysCall, parseKeyPage } from "./functions/list-keys.ts";
import {
  type KeyRevision,
  type OutcomePage,
  parseOutcomePage,
  parseRevisions,
  readOutcomesCall,
  readRevisionsCall,
} from "./functions/watch-reads.ts";
import type { First, IdempotencyCount } from "./idempotency.ts";
import { keysAt, type PartitionKeys, partitionKeys } from "./keys.ts";
import { LETTER_PAGE_MAX_BYTES } from "./limits.ts";
import { Coalescer } from "./redis/coalescer.ts";
import type { Call, Link } from "./redis/link.ts";
import { decodeStoredValue, type StoredValue } from "./stored-value.ts";

/** A key at one moment: its value, or null where there is none, and how far the partition was. */
export interface Reading {
  readonly watermark: Watermark;
  readonly stored: StoredValue | null;
}

/** Expired keys count until they are removed. */
export interface Usage {
  readonly keys: number;
  /** Of keys and values. */
  readonly bytes: number;
}

export class Store {
  readonly #link: Link;
  /** Reads of one event-loop turn travel together. */
  readonly #reads: Coalescer;
  readonly #library: Library = storeLibrary();
  readonly #keys: readonly PartitionKeys[];

  constructor(link: Link, partitions: number) {
    this.#link = link;
    this.#reads = new Coalescer(link, "memory", "turn");
    this.#keys = partitionKeys(partitions);
  }

  /** Loads the functions. Called whenever the connection has become ready. */
  prepare(): Promise<void> {
    return loadLibrary(this.#link, this.#library);
  }

  /** Applies entries from exactly the expected watermark. See apply.lua. */
  async apply(partition: number, expected: Watermark, entries: readonly ApplicableEntry[]): Promise<ApplyReply> {
    return parseApplyReply(await this.#callFunction(applyCall(this.#library, this.#at(partition), expected, entries)));
  }

  /** Gives up the commands between two watermarks. See advance.lua. @returns false when the store stood elsewhere */
  async advance(partition: number, expected: Watermark, next: Watermark): Promise<boolean> {
    const call = advanceCall(this.#library, this.#at(partition), expected, next);
    return parseAdvanced(await this.#callFunction(call).catch(unavailable("store-unavailable")));
  }

  /** What operators have given up, the newest first. */
  async losses(partition: number, count: number): Promise<AcceptedLoss[]> {
    const args = [this.#at(partition).losses, "+", "-", "COUNT", count];
    return parseLosses(await this.#ask({ name: "XREVRANGE", args }));
  }

  /** The last applied sequence of each producer that the store remembers. */
  async sequences(partition: number): Promise<ReadonlyMap<string, number>> {
    const fields = (await this.#ask({ name: "HGETALL", args: [this.#at(partition).producers] })) as Buffer[];
    const sequences = new Map<string, number>();
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const [producer, record] = [String(fields[i]), String(fields[i + 1])];
      if (!producer.startsWith("@")) sequences.set(producer, Number(record.split(" ", 1)[0]));
    }
    return sequences;
  }

  /** Tells whoever waits that ids of this partition's log have changed: see {@link AppliedMessage.jump}. */
  async announceJump(partition: number, watermark: Watermark): Promise<void> {
    const message = JSON.stringify({ watermark: formatWatermark(watermark), results: {}, jump: true });
    await this.#link.call({ name: "PUBLISH", args: [this.#at(partition).applied, message] });
  }

  async watermark(partition: number): Promise<Watermark> {
    const reply = (await this.#ask({ name: "GET", args: [this.#at(partition).watermark] })) as Buffer | null;
    return parseWatermark(reply === null ? null : String(reply));
  }

  /** Watermarks of all partitions, in order. */
  watermarks(): Promise<Watermark[]> {
    return Promise.all(this.#keys.map(({ partition }) => this.watermark(partition)));
  }

  /** The watermark as far as the store's replicas hold it (as many as rule R3 asks for), or null when they lag behind. */
  async confirmedWatermark(partition: number): Promise<Watermark | null> {
    const { replies, unconfirmed } = await this.#link.callTogether(
      [{ name: "GET", args: [this.#at(partition).watermark] }],
      "replicated",
    );
    const record = replies[0] as Buffer | null | Error;
    if (record instanceof Error) throw record;
    if (unconfirmed !== null) return null;
    return parseWatermark(record === null ? null : String(record));
  }

  /** Value and watermark in one call. */
  async read(partition: number, namespace: string, key: string): Promise<Reading> {
    const keys = this.#at(partition);
    const reply = await this.#ask({ name: "MGET", args: [keys.watermark, keys.value(namespace, key)] });
    const [record, value] = reply as [Buffer | null, Buffer | null];
    return {
      watermark: parseWatermark(record === null ? null : String(record)),
      stored: value === null ? null : decodeStoredValue(value),
    };
  }

  /** Keys of a namespace in this partition, in byte order, with the watermark of the same moment. */
  async list(partition: number, namespace: string, range: KeyRange): Promise<KeyPage> {
    const call = listKeysCall(this.#library, this.#at(partition), namespace, range);
    return parseKeyPage(await this.#askFunction(call));
  }

  /** What a namespace holds in one partition. */
  async usage(partition: number, namespace: string): Promise<Usage> {
    const keys = this.#at(partition);
    const [count, bytes] = await Promise.all([
      this.#ask({ name: "ZCARD", args: [keys.index(namespace)] }),
      this.#ask({ name: "HGET", args: [keys.usage, namespace] }) as Promise<Buffer | null>,
    ]);
    return { keys: Number(count), bytes: Number(String(bytes ?? 0)) };
  }

  /** The outcome of an applied command where it is more than plain success, else null. */
  async outcome(partition: number, id: EntryId): Promise<Result | null> {
    const reply = (await this.#ask({ name: "XRANGE", args: [this.#at(partition).outcomes, id, id] })) as [
      Buffer,
      Buffer[],
    ][];
    const text = reply[0]?.[1][1];
    return text === undefined ? null : parseResult(String(text));
  }

  /** How far a partition is, and what came of its commands from an id on: of so many that were more than plain success. */
  async outcomes(partition: number, from: EntryId, count: number): Promise<OutcomePage> {
    const call = readOutcomesCall(this.#library, this.#at(partition), from, count);
    return parseOutcomePage(await this.#askFunction(call), count);
  }

  /**
   * Values of keys that are still at these revisions, null for the others; of the first of them, until `bytes` are passed.
   */
  async revisions(partition: number, wanted: readonly KeyRevision[], bytes: number): Promise<(StoredValue | null)[]> {
    if (wanted.length === 0) return [];
    return parseRevisions(
      await this.#askFunction(readRevisionsCall(this.#library, this.#at(partition), wanted, bytes)),
    );
  }

  /** The command that came first with an idempotency key, or null where none was applied. */
  async first(partition: number, idempotencyKey: string): Promise<First | null> {
    const args = [this.#at(partition).idempotency, idempotencyKey];
    const record = (await this.#ask({ name: "HGET", args })) as Buffer | null;
    if (record === null) return null;
    const [id = "", fingerprint = ""] = String(record).split(" ");
    return { id, fingerprint };
  }

  /** How many idempotency keys each partition knows, in order. */
  idempotencyCounts(): Promise<IdempotencyCount[]> {
    return Promise.all(
      this.#keys.map(async ({ idempotency, outcomes }) => {
        const [keys, oldest] = await Promise.all([
          this.#ask({ name: "HLEN", args: [idempotency] }),
          this.#ask({ name: "XRANGE", args: [outcomes, "-", "+", "COUNT", 1] }) as Promise<[Buffer, unknown][]>,
        ]);
        return { keys: Number(keys), oldestMs: idTimeMs(String(oldest[0]?.[0] ?? ID_ZERO)) };
      }),
    );
  }

  /** Keys that expire until a time, in milliseconds, the earliest first. */
  async due(partition: number, untilMs: number, count: number): Promise<{ namespace: string; key: string }[]> {
    const keys = this.#at(partition);
    const args = [keys.expiries, "-inf", untilMs, "LIMIT", 0, count];
    const due = (await this.#ask({ name: "ZRANGEBYSCORE", args })) as Buffer[];
    return due.map((valueKey) => keys.ofValue(String(valueKey)));
  }

  /** A page of a partition's dead letters, from the first after an id, without their values. */
  async letters(partition: number, after: EntryId, entries: number): Promise<LetterPage> {
    const bounds = { entries, bytes: LETTER_PAGE_MAX_BYTES };
    return parseLetterPage(await this.#askFunction(listLettersCall(this.#library, this.#at(partition), after, bounds)));
  }

  /** One dead letter with its value. */
  async letter(partition: number, id: EntryId): Promise<FoundLetter> {
    return parseFoundLetter(await this.#askFunction(readLetterCall(this.#library, this.#at(partition), id)));
  }

  /** What replays, in this order, would come to now; `applied` where nothing stands in the way. */
  async foresee(partition: number, replays: readonly PlannedReplay[], nowMs: number): Promise<Result[]> {
    if (replays.length === 0) return [];
    return parseForeseen(await this.#askFunction(foreseeCall(this.#library, this.#at(partition), replays, nowMs)));
  }

  /** How many dead letters each partition has, in order. */
  letterCounts(): Promise<LetterCount[]> {
    return Promise.all(
      this.#keys.map(async ({ letters }) => {
        const [fields, bytes] = await Promise.all([
          this.#ask({ name: "HLEN", args: [letters] }),
          this.#ask({ name: "HGET", args: [letters, "@bytes"] }) as Promise<Buffer | null>,
        ]);
        // One of the fields is the sum of the others' bytes.
        return { letters: Math.max(0, Number(fields) - 1), bytes: Number(String(bytes ?? 0)) };
      }),
    );
  }

  async #askFunction(call: Call): Promise<unknown> {
    try {
      return await this.#reads.send(call);
    } catch (error) {
      if (!isFunctionMissing(error)) return unavailable("store-unavailable")(error);
      await this.prepare().catch(unavailable("store-unavailable"));
      return await this.#ask(call);
    }
  }

  async #callFunction(call: Call): Promise<unknown> {
    try {
      return await this.#link.call(call);
    } catch (error) {
      if (!isFunctionMissing(error)) throw error;
      await this.prepare();
      return await this.#link.call(call);
    }
  }

  #ask(call: Call): Promise<unknown> {
    return this.#reads.send(call).catch(unavailable("store-unavailable"));
  }

  #at(partition: number): PartitionKeys {
    return keysAt(this.#keys, partition);
  }
}
