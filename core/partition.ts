/**
 * Which partition a key belongs to.
 *
 * A partition is one log and one order. The rule is part of the data format: it is recorded in both Redises when
 * they are first used (see `format-record.ts`), and a process that was told another number refuses to start.
 */
import calculateSlot from "cluster-key-slot";

/** What Millrace itself keeps as keys: pinned, and out of reach of clients. */
export const SYSTEM_NAMESPACE = "@millrace";

/** A pinned namespace is told by its name: all its keys share one partition, and so one order. */
export function isPinned(namespace: string): boolean {
  return namespace.startsWith("@");
}

/**
 * The partition of a key: Redis Cluster's CRC16 slot of the routing key, modulo the number of partitions.
 * The routing key is `<namespace>/<key>`; a `{tag}` inside the key routes by the tag alone, as Redis Cluster's hash
 * tags do, so that related keys can be kept together. That of a pinned namespace is its name, whatever the key.
 *
 * @returns a number from 0 to `partitions - 1`
 */
export function partitionOf(namespace: string, key: string, partitions: number): number {
  return calculateSlot(isPinned(namespace) ? namespace : `${namespace}/${key}`) % partitions;
}

/** The partitions that may hold keys of a namespace, in order: the one of a pinned namespace, else all. */
export function partitionsOf(namespace: string, partitions: number): number[] {
  if (isPinned(namespace)) return [partitionOf(namespace, "", partitions)];
  return Array.from({ length: partitions }, (_, partition) => partition);
}

/**
 * The partitions that may hold keys with a prefix, in order: one, where the namespace is pinned or the prefix has a whole
 * `{tag}` already, which then is the tag of all these keys.
 */
export function partitionsOfPrefix(namespace: string, prefix: string, partitions: number): number[] {
  const open = prefix.indexOf("{");
  const tagged = open >= 0 && prefix.indexOf("}", open) > open + 1;
  return tagged ? [partitionOf(namespace, prefix, partitions)] : partitionsOf(namespace, partitions);
}
