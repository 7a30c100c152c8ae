/**
 * What an entry of the table of metrics says. The table is in metrics-table.ts.
 */

export type MetricType = "counter" | "gauge" | "histogram";

/** Whose metrics page tells it. */
export type Teller = "api" | "consumer" | "both";

export interface Metric<
  Type extends MetricType = MetricType,
  By extends Teller = Teller,
  Label extends string = string,
> {
  readonly name: string;
  readonly type: Type;
  /** What one of it is; `state` for what is 1 or 0. */
  readonly unit: string;
  /** One sentence. */
  readonly help: string;
  readonly labels: readonly Label[];
  readonly by: By;
  /** Of a histogram: upper bounds, in its unit, ascending. */
  readonly buckets: readonly number[];
}

/** Makes entries of the table that one process, or both, tell. */
export function toldBy<By extends Teller>(by: By) {
  const none: never[] = [];
  return {
    counter: <Label extends string = never>(
      name: string,
      unit: string,
      help: string,
      labels: readonly Label[] = none,
    ): Metric<"counter", By, Label> => ({ name, type: "counter", unit, help, labels, by, buckets: none }),
    gauge: <Label extends string = never>(
      name: string,
      unit: string,
      help: string,
      labels: readonly Label[] = none,
    ): Metric<"gauge", By, Label> => ({ name, type: "gauge", unit, help, labels, by, buckets: none }),
    histogram: <Label extends string = never>(
      name: string,
      unit: string,
      help: string,
      buckets: readonly number[],
      labels: readonly Label[] = none,
    ): Metric<"histogram", By, Label> => ({ name, type: "histogram", unit, help, labels, by, buckets }),
  };
}
