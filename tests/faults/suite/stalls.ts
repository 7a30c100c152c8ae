/** How long writes, applies and reads stood still. Pure. */
import { claimOf, type Operation, readSucceeded } from "./history.ts";

export interface Stalls {
  /** Longest time without an acknowledged write, in milliseconds, on any one partition. */
  readonly writeMs: number;
  /** The same for writes that were told their result. */
  readonly applyMs: number;
  /** The same for reads that brought an answer. */
  readonly readMs: number;
}

/** @param untilMs the end of the traffic */
export function measureStalls(
  operations: readonly Operation[],
  partitions: number,
  fromMs: number,
  untilMs: number,
): Stalls {
  const longest = (counts: (operation: Operation) => boolean): number => {
    const ends = Array.from({ length: partitions }, () => [fromMs, untilMs]);
    for (const operation of operations) {
      if (operation.endMs > fromMs && operation.endMs < untilMs && counts(operation)) {
        ends[operation.partition]?.push(operation.endMs);
      }
    }
    return Math.max(...ends.map(longestGap));
  };
  const isWrite = ({ kind }: Operation): boolean => kind !== "get";
  return {
    writeMs: longest((one) => isWrite(one) && ["accepted", "done"].includes(claimOf(one))),
    applyMs: longest((one) => isWrite(one) && claimOf(one) === "done"),
    readMs: longest((one) => !isWrite(one) && readSucceeded(one)),
  };
}

function longestGap(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(0, ...sorted.slice(1).map((time, index) => time - (sorted[index] ?? time)));
}
