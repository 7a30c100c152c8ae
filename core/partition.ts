/**
 * Which partition a key belongs to.
 *
 * A partition is one log and one order. The rule is part of the data format: it is recorded in both Redises when
 * they are first used (see `format-record.ts`), and a process that was told another number refuses to start.
 */
import calculateSlot from "cluster-key-slot";

/**
 * The partition of a key: Redis Cluster's CRC16 slot of the routing key, modulo the number of partitions.
 * The routing key is `<namespace>/<key>`; a `{tag}` inside the key routes by the tag alone, as Redis Cluster's hash
 * tags do, so that related keys can be kept together.
 *
 * @returns a number from 0 to `partitions - 1`
 */
export function partitionOf(namespace: string, key: string, partitions: number): number {
  return calculateSlot(`${namespace}/${key}`) % partitions;
}
