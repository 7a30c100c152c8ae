/** A process' metrics page, and one figure of it. */

/** @param series name and labels as on the page, `millrace_x{a="b"}`; 0 when it is not there */
export async function metricOf(service: { readonly opsUrl: string }, series: string): Promise<number> {
  const page = await metricsText(service);
  const line = page.split("\n").find((text) => text.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

export async function metricsText({ opsUrl }: { readonly opsUrl: string }): Promise<string> {
  const answer = await fetch(`${opsUrl}/metrics`);
  if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}: ${await answer.text()}`);
  return answer.text();
}

/** One line with a figure. */
export interface Series {
  /** As exported: of a histogram with `_bucket`, `_sum` or `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What stands below one TYPE line. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly series: Series[];
}

const FOLDED = /_(?:bucket|sum|count)$/;

/**
 * Reads Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/) as strictly as our pages
 * are written. @throws Error on a line that is not of it, or that stands below no family of its name
 */
export function parseMetrics(page: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  let help: RegExpExecArray | null = null;
  let family: Family | null = null;
  for (const line of page.split("\n")) {
    if (line === "") continue;
    if (line.startsWith("# HELP ")) {
      help = /^# HELP (\S+) (.+)$/.exec(line);
      continue;
    }
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type?.[1] && type[2]) {
      if (help?.[1] !== type[1] || families.has(type[1])) throw new Error(`a TYPE out of place: ${line}`);
      family = { name: type[1], help: help[2] ?? "", type: type[2], series: [] };
      families.set(family.name, family);
      continue;
    }
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found?.[1] || !family) throw new Error(`not a series: ${line}`);
    const folded = family.type === "histogram" || family.type === "summary" ? found[1].replace(FOLDED, "") : found[1];
    if (folded !== family.name) throw new Error(`${found[1]} below ${family.name}`);
    const value = found[3] === "+Inf" ? Number.POSITIVE_INFINITY : Number(found[3]);
    family.series.push({ name: found[1], labels: parseLabels(found[2] ?? ""), value });
  }
  return families;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const rest = text.replaceAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g, (_, name: string, value: string) => {
    labels[name] = value;
    return "";
  });
  if (rest !== "") throw new Error(`not labels: ${text}`);
  return labels;
}
