/**
 * The only place that spells a Redis key or channel.
 *
 * All keys of a partition carry its hash tag, `mr:{p07}:…`, so on Redis Cluster they share a slot and one function
 * call can change them together.
 */
import { OperatingError } from "./errors.ts";

/** The consumer group that applies the log. */
export const APPLY_GROUP = "apply";

/** What both Redises record of the data format (JSON), written once. */
export const FORMAT_KEY = "mr:format";

/** Who is alive, who owns what, and how it stands: one slot, so that one call changes all three. On the log's Redis. */
export const COORDINATION = {
  sessions: "mr:{consumers}:sessions",
  owners: "mr:{consumers}:owners",
  states: "mr:{consumers}:states",
  /** Channel: something above changed. */
  changed: "mr:{consumers}:changed",
} as const;

/** Before the name of whoever is limited: one counter each, in one slot. On the log's Redis. */
export const RATE_LIMITS_PREFIX = "mr:{limits}";

export interface PartitionKeys {
  readonly partition: number;
  /** Stream on the log: the partition's commands. */
  readonly log: string;
  /** Hash on the log: last ordinal, trim floor, fence, and each producer's last group. */
  readonly appends: string;
  /** Channel on the log, named like the stream: id of the last entry appended. */
  readonly appended: string;
  /** String on the store: id and ordinal of the last command applied. */
  readonly watermark: string;
  /** Hash on the store: each producer's last applied sequence. */
  readonly producers: string;
  /** Stream on the store: outcomes that are not plain success, under the command's own id. */
  readonly outcomes: string;
  /** Stream on the store: commands that could not be applied, under their own id. */
  readonly dead: string;
  /** Hash on the store: what changes of each dead letter, by its id; and how many bytes all have. */
  readonly letters: string;
  /** Sorted set on the store: the dead letters of each key, in order. */
  readonly letterOrder: string;
  /** Hash on the store: what must be known of the keys that have dead letters. */
  readonly letterTracks: string;
  /** Sorted set on the store: value keys that expire, by when, in milliseconds. */
  readonly expiries: string;
  /** Hash on the store: by idempotency key the command that came with it first, and its fingerprint. */
  readonly idempotency: string;
  /** Hash on the store: bytes of keys and values, by namespace. */
  readonly usage: string;
  /** Stream on the store: commands that an operator has given up. */
  readonly losses: string;
  /** Channel on the store: watermark and awaited results after each batch. */
  readonly applied: string;
  /** String on the store: a key's stored value. */
  value(namespace: string, key: string): string;
  /** Sorted set on the store: the keys of a namespace, in byte order. */
  index(namespace: string): string;
  /** Namespace and key of a value key. @throws Error when it is none */
  ofValue(valueKey: string): { readonly namespace: string; readonly key: string };
}

function keysOf(partition: number): PartitionKeys {
  const base = `mr:{p${String(partition).padStart(2, "0")}}:`;
  return {
    partition,
    log: `${base}log`,
    appends: `${base}appends`,
    appended: `${base}log`,
    watermark: `${base}watermark`,
    producers: `${base}producers`,
    outcomes: `${base}outcomes`,
    dead: `${base}dead`,
    letters: `${base}letters`,
    letterOrder: `${base}letter-order`,
    letterTracks: `${base}letter-tracks`,
    expiries: `${base}expiries`,
    idempotency: `${base}idempotency`,
    usage: `${base}usage`,
    losses: `${base}losses`,
    applied: `${base}applied`,
    value: (namespace, key) => `${base}k:${namespace}/${key}`,
    index: (namespace) => `${base}i:${namespace}`,
    ofValue: (valueKey) => {
      const slash = valueKey.indexOf("/", base.length + 2);
      if (!valueKey.startsWith(`${base}k:`) || slash < 0) throw new Error("that is not a value key of ours");
      return { namespace: valueKey.slice(base.length + 2, slash), key: valueKey.slice(slash + 1) };
    },
  };
}

/** The keys of every partition, by number. */
export function partitionKeys(partitions: number): readonly PartitionKeys[] {
  return Array.from({ length: partitions }, (_, partition) => keysOf(partition));
}

/** @throws OperatingError when there is no such partition */
export function keysAt(keys: readonly PartitionKeys[], partition: number): PartitionKeys {
  const found = keys[partition];
  if (found === undefined) {
    throw new OperatingError("format-mismatch", `no partition ${partition}`, { retryable: false });
  }
  return found;
}
