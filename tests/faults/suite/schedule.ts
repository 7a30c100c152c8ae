/** Which faults are struck in which round: decided by the seed. */
import type { Nemesis } from "./nemesis.ts";
import type { Random } from "./random.ts";
import type { Right } from "./rights.ts";

const COMBINED_MAX = 3;

export interface Plan {
  readonly possible: readonly Nemesis[];
  /** Left out, with what is missing. */
  readonly skipped: readonly { readonly name: string; readonly missing: readonly Right[] }[];
}

export function sortByRights(nemeses: readonly Nemesis[], rights: ReadonlySet<Right>): Plan {
  const missing = ({ needs = [] }: Nemesis): Right[] => needs.filter((right) => !rights.has(right));
  return {
    possible: nemeses.filter((one) => missing(one).length === 0),
    skipped: nemeses.filter((one) => missing(one).length > 0).map((one) => ({ name: one.name, missing: missing(one) })),
  };
}

/** Each nemesis alone, in the order given; again from the first when `forever`. */
export function* oneByOne(nemeses: readonly Nemesis[], forever: boolean): Generator<readonly Nemesis[]> {
  do {
    for (const nemesis of nemeses) yield [nemesis];
  } while (forever && nemeses.length > 0);
}

/**
 * Two or three at once, for ever, no two of them with the same target: what is promised is promised for one fault at a
 * time in each Redis group.
 */
export function* combinations(nemeses: readonly Nemesis[], random: Random): Generator<readonly Nemesis[]> {
  while (nemeses.length > 0) {
    const chosen: Nemesis[] = [];
    const taken = new Set<string>();
    const wanted = random.integer(2, COMBINED_MAX);
    for (const nemesis of random.shuffled(nemeses)) {
      if (chosen.length === wanted) break;
      if (nemesis.targets.some((target) => taken.has(target))) continue;
      chosen.push(nemesis);
      for (const target of nemesis.targets) taken.add(target);
    }
    yield chosen;
  }
}
