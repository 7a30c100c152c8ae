/**
 * Keys of a namespace in one partition, a page at a time in byte order, and what stands under them.
 *
 * A page and what is then asked of its keys are of different moments: a key may be gone by then, or another value.
 */
import type { EntryId } from "./entry-id.ts";
import { unavailable } from "./errors.ts";
import { keysAt, type PartitionKeys, partitionKeys } from "./keys.ts";
import { Coalescer } from "./redis/coalescer.ts";
import type { Call, Link } from "./redis/link.ts";
import { decodeStoredValue, type StoredValue } from "./stored-value.ts";

export interface KeyRange {
  /** Only keys that begin with it; empty: all. */
  readonly prefix: string;
  /** Behind this key, in the direction of the page; null: from the start. */
  readonly after: string | null;
  readonly count: number;
  /** The last key first. */
  readonly reverse?: boolean;
}

/** A key's revision, or that it is not there, or that something else than a value of ours is. */
export type SeenKey = { readonly kind: "there"; readonly id: EntryId } | { readonly kind: "gone" | "foreign" };

/** The longest id and the tab after it. */
const HEAD_BYTES = 48;
/** No UTF-8 text holds this byte: behind it no key begins with the prefix any more. */
const BEYOND_TEXT = Buffer.from([0xff]);

export class KeyPages {
  /** What one event-loop turn asks for travels together. */
  readonly #reads: Coalescer;
  readonly #keys: readonly PartitionKeys[];

  constructor(link: Link, partitions: number) {
    this.#reads = new Coalescer(link, "memory", "turn");
    this.#keys = partitionKeys(partitions);
  }

  /** Fewer than `count` keys: there are no more. @throws OperatingError `store-unavailable` */
  async page(partition: number, namespace: string, range: KeyRange): Promise<string[]> {
    const { prefix, after, count, reverse = false } = range;
    const beyond = Buffer.concat([Buffer.from(`(${prefix}`), BEYOND_TEXT]);
    const low = after !== null && !reverse ? `(${after}` : `[${prefix}`;
    const high = after !== null && reverse ? `(${after}` : beyond;
    const args = [this.#at(partition).index(namespace), ...(reverse ? [high, low] : [low, high]), "LIMIT", 0, count];
    return ((await this.#ask({ name: reverse ? "ZREVRANGEBYLEX" : "ZRANGEBYLEX", args })) as Buffer[]).map(String);
  }

  /** In the order of the keys. @throws OperatingError `store-unavailable` */
  revisions(partition: number, namespace: string, keys: readonly string[]): Promise<SeenKey[]> {
    const own = this.#at(partition);
    return Promise.all(
      keys.map(async (key): Promise<SeenKey> => {
        try {
          const args = [own.value(namespace, key), 0, HEAD_BYTES - 1];
          const head = String(await this.#reads.send({ name: "GETRANGE", args }));
          if (head === "") return { kind: "gone" };
          const id = /^(\d+-\d+)\t/.exec(head)?.[1];
          return id === undefined ? { kind: "foreign" } : { kind: "there", id };
        } catch (error) {
          if (error instanceof Error && error.message.startsWith("WRONGTYPE")) return { kind: "foreign" };
          return unavailable("store-unavailable")(error);
        }
      }),
    );
  }

  /** In the order of the keys, null where one is not there. @throws OperatingError `store-unavailable` */
  async values(partition: number, namespace: string, keys: readonly string[]): Promise<(StoredValue | null)[]> {
    if (keys.length === 0) return [];
    const own = this.#at(partition);
    const reply = (await this.#ask({
      name: "MGET",
      args: keys.map((key) => own.value(namespace, key)),
    })) as (Buffer | null)[];
    return reply.map((bytes) => bytes && decodeStoredValue(bytes));
  }

  /** How many keys of a namespace a partition has. @throws OperatingError `store-unavailable` */
  async count(partition: number, namespace: string): Promise<number> {
    return Number(await this.#ask({ name: "ZCARD", args: [this.#at(partition).index(namespace)] }));
  }

  #ask(call: Call): Promise<unknown> {
    return this.#reads.send(call).catch(unavailable("store-unavailable"));
  }

  #at(partition: number): PartitionKeys {
    return keysAt(this.#keys, partition);
  }
}
