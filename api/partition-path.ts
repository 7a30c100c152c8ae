/**
 * Paths of one partition. Pure.
 */
import { ProblemError } from "./errors.ts";

/** @throws ProblemError `not-found` when there is no such partition */
export function parsePartitionPath(path: string, partitions: number): number {
  const [, text] = /^\/v1\/partitions\/(0|[1-9]\d{0,3})(?:\/accept-loss)?$/.exec(path) ?? [];
  if (text === undefined || Number(text) >= partitions) throw new ProblemError("not-found");
  return Number(text);
}
