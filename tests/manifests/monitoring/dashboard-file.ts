/** The dashboard as it is read. */
import dashboard from "../../../infra/monitoring/dashboards/millrace.json" with { type: "json" };

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly mappings?: readonly Mapping[] } };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr?: string;
    readonly datasource: { readonly type: string };
  }[];
}

/** What a panel says in the place of a number. */
interface Mapping {
  readonly options: Readonly<Record<string, { readonly text: string } | undefined>>;
}

export const panels = dashboard.panels as readonly Panel[];

/** Without the rows that only head others. */
export const drawn = panels.filter(({ type }) => type !== "row");

/** What it asks Prometheus, with an interval in the place of Grafana's variable. */
export const panelExpressions: readonly { readonly title: string; readonly expr: string }[] = [
  ...drawn.flatMap(({ title, targets = [] }) =>
    targets.filter(({ datasource }) => datasource.type === "prometheus").map(({ expr = "" }) => ({ title, expr })),
  ),
  ...dashboard.annotations.list.map(({ name, expr }) => ({ title: name, expr })),
].map(({ title, expr }) => ({ title, expr: expr.replaceAll("$__rate_interval", "5m") }));

/** Variables by which the reader chooses data sources. */
export const dataSourceVariables: readonly string[] = dashboard.templating.list
  .filter(({ type }) => type === "datasource")
  .map(({ name }) => `\${${name}}`);
