/**
 * What Millrace itself keeps as keys of its reserved namespace: JSON documents, written by ordinary commands through the
 * log, so that they are as durable and as ordered as everybody's values.
 */
import { partitionOf, SYSTEM_NAMESPACE } from "./partition.ts";

export const SETTINGS_PREFIX = "ns/";
export const JOBS_PREFIX = "jobs/";

/** The settings of a namespace. */
export function settingsKey(namespace: string): string {
  return `${SETTINGS_PREFIX}${namespace}`;
}

export function jobKey(id: string): string {
  return `${JOBS_PREFIX}${id}`;
}

/** The partition of all of them. */
export function systemPartition(partitions: number): number {
  return partitionOf(SYSTEM_NAMESPACE, "", partitions);
}
