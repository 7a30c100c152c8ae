/**
 * The metrics page of a process: what the table says of it, each figure read where it is counted when the page is asked
 * for. Nothing is counted twice, and a process without a reader of its page pays for the counting alone.
 *
 * prom-client renders it and adds what Node.js tells of itself (`process_…`, `nodejs_…`). The registry is this page's
 * own: nothing is global.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram as PromHistogram, Registry } from "prom-client";
import type { Histogram } from "./histogram.ts";
import type { Metric } from "./metric.ts";
import { METRICS } from "./telemetry.ts";

type Table = typeof METRICS;
type Name = keyof Table;

/** The metrics that a process tells. */
export type ToldBy<Who extends "api" | "consumer"> = {
  [N in Name]: Table[N]["by"] extends Who | "both" ? N : never;
}[Name];

type Labels<Label extends string> = Readonly<Partial<Record<Label, string | number>>>;
export type Series<Label extends string, Figure = number> = Iterable<readonly [Labels<Label>, Figure]>;

/** Null: there is none now. */
type ReadingOf<Figure, Label extends string> = () => [Label] extends [never] ? Figure | null : Series<Label, Figure>;

export type Reading<N extends Name> =
  Table[N] extends Metric<infer Type, infer _, infer Label>
    ? ReadingOf<Type extends "histogram" ? Histogram : number, Label>
    : never;

/** How each of some metrics is read. */
export type Readings<N extends Name> = { readonly [Each in N]: Reading<Each> };

export class MetricsPage<Who extends "api" | "consumer"> {
  readonly #registry = new Registry();

  constructor(readings: Readings<ToldBy<Who>>) {
    for (const name of Object.keys(METRICS) as Name[]) {
      const reading = (readings as Partial<Record<Name, AnyReading>>)[name];
      if (reading) expose(this.#registry, METRICS[name], reading);
    }
    collectDefaultMetrics({ register: this.#registry });
  }

  /** In Prometheus' text format. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }
}

type Figures = Series<string, number | Histogram>;
type AnyReading = () => number | Histogram | null | Figures;

function expose(registry: Registry, metric: Metric, reading: AnyReading): void {
  const { name, help, labels } = metric;
  const about = { name, help, labelNames: labels, registers: [registry] };
  switch (metric.type) {
    case "counter":
      new Counter({
        ...about,
        collect() {
          this.reset();
          for (const [values, figure] of series<number>(reading())) this.inc(values, figure);
        },
      });
      return;
    case "gauge":
      new Gauge({
        ...about,
        collect() {
          this.reset();
          // Without labels it is 0 after that; what is not known must not say so.
          this.remove({});
          for (const [values, figure] of series<number>(reading())) this.set(values, figure);
        },
      });
      return;
    case "histogram":
      new ReadHistogram({ ...about, buckets: [...metric.buckets] }, () => series<Histogram>(reading()));
  }
}

function* series<Figure>(told: ReturnType<AnyReading>): Generator<readonly [Labels<string>, Figure]> {
  if (told === null) return;
  if (typeof told === "object" && Symbol.iterator in told) yield* told as Series<string, Figure>;
  else yield [{}, told as Figure];
}

/**
 * prom-client's histogram on a page, with figures of ours. What the registry asks for, and `get` is made of, is no part of
 * prom-client's types; its version is pinned, and a test reads the pages.
 */
class ReadHistogram extends PromHistogram {
  readonly #about: { readonly name: string; readonly help: string };
  readonly #read: () => Series<string, Histogram>;

  constructor(about: ConstructorParameters<typeof PromHistogram>[0], read: () => Series<string, Histogram>) {
    super(about);
    this.#about = about;
    this.#read = read;
  }

  async getForPromString() {
    const { name, help } = this.#about;
    const values = [...this.#read()].flatMap(([sharedLabels, histogram]) => {
      const { bounds, sum, count } = histogram;
      const counts = [...histogram.cumulative(), count];
      const buckets = [...bounds, "+Inf"].map((le, at) => {
        return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: counts[at] ?? 0 };
      });
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sum },
        { metricName: `${name}_count`, labels: {}, sharedLabels, value: count },
      ];
    });
    return { name, help, type: "histogram", values };
  }
}
