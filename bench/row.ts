/**
 * What a bench measures: one row sets ours beside a baseline measured in the same run, and names the targets.
 */

/** A bound that a row has to keep, on our own figure or on the ratio of ours to the baseline. */
export interface Target {
  readonly of: "ours" | "ratio";
  readonly bound: "at least" | "at most";
  readonly value: number;
}

/** The figures of one side, a figure per round, in the order they were taken; warm-up rounds are not among them. */
export interface Side {
  readonly name: string;
  readonly rounds: readonly number[];
}

export interface Row {
  readonly name: string;
  readonly what: string;
  readonly unit: "1/s" | "ms" | "us" | "B";
  readonly ours: Side;
  readonly baseline: Side;
  readonly targets: readonly Target[];
  /** What helps to judge the figures, such as how late the load generator itself was. */
  readonly notes?: Readonly<Record<string, number>>;
}

/** The middle figure: the mean of the middle two when their number is even. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new Error("median of no figures");
  return (upper + lower) / 2;
}

/**
 * Ours over the baseline. Where both were measured in turn, the middle one of the rounds' ratios: a machine that is slower for
 * a while is so for both.
 */
export function ratio({ ours, baseline }: Row): number {
  if (ours.rounds.length !== baseline.rounds.length) return median(ours.rounds) / median(baseline.rounds);
  return median(ours.rounds.map((figure, round) => figure / (baseline.rounds[round] ?? Number.NaN)));
}

export function reached(row: Row, target: Target): boolean {
  const figure = target.of === "ours" ? median(row.ours.rounds) : ratio(row);
  return target.bound === "at least" ? figure >= target.value : figure <= target.value;
}
