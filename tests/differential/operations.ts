/**
 * What the differential test does, one entry for each kind of operation, with how often it is chosen. An entry does one
 * thing to one world and compares; another kind of operation is another entry.
 */
import { READS } from "./reads.ts";
import type { World } from "./world.ts";
import { WRITES } from "./writes.ts";

export interface OperationKind {
  readonly name: string;
  /** How often, against the others. */
  readonly weight: number;
  readonly run: (world: World) => Promise<void>;
}

export const OPERATIONS: readonly OperationKind[] = [...WRITES, ...READS];

/** One of them, by weight. */
export function pickOperation({ random }: World): OperationKind {
  let at = random.next() * OPERATIONS.reduce((sum, { weight }) => sum + weight, 0);
  for (const kind of OPERATIONS) {
    at -= kind.weight;
    if (at < 0) return kind;
  }
  return OPERATIONS[0] as OperationKind;
}
