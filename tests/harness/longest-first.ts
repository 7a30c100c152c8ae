/**
 * The files that take longest begin first, so that none of them goes on alone at the end. Without what an earlier run
 * measured, as on a fresh clone, vitest would go by the size of files.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Seconds each, on 2 cores; whatever is not named takes less. */
const LONGEST: readonly (readonly [file: string, seconds: number])[] = [
  ["tests/faults/pods.test.ts", 140],
  ["tests/e2e/differential.test.ts", 80],
  ["tests/faults/redis-nodes.test.ts", 70],
  ["tests/faults/log-went-back.test.ts", 55],
  ["tests/e2e/local-stack.test.ts", 40],
  ["tests/e2e/redis-cluster.test.ts", 35],
  ["tests/e2e/conformance-sentinel.test.ts", 31],
  ["tests/manifests/overlays.test.ts", 31],
  ["tests/faults/backup.test.ts", 30],
  ["tests/faults/jobs.test.ts", 30],
  ["tests/e2e/real-input.test.ts", 30],
  ["tests/e2e/batch-lines.test.ts", 29],
  ["tests/faults/backpressure.test.ts", 27],
  ["tests/e2e/jobs.test.ts", 24],
  ["tests/faults/watch-failovers.test.ts", 20],
];

const secondsOf = ({ moduleId }: TestSpecification): number =>
  LONGEST.find(([file]) => moduleId.endsWith(file))?.[1] ?? 0;

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => secondsOf(other) - secondsOf(one));
  }
}
