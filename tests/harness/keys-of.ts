/** Keys by the partition they belong to. */
import { partitionOf } from "../../core/partition.ts";

/** `count` different keys of a namespace that all belong to this partition. */
export function keysIn(partition: number, partitions: number, namespace: string, count: number): string[] {
  const keys: string[] = [];
  for (let n = 0; keys.length < count; n += 1) {
    if (partitionOf(namespace, `key-${n}`, partitions) === partition) keys.push(`key-${n}`);
  }
  return keys;
}
