/**
 * Which metrics and labels an expression of PromQL names. Not a parser (promtool says whether it is well-formed): it takes
 * away strings, numbers, durations and functions, and what is left are names.
 */
import { METRICS } from "../../../core/telemetry.ts";

/** What Prometheus itself puts on every series of a target, here and in Kubernetes. */
const TARGET_LABELS = ["job", "instance", "namespace", "pod", "container", "service", "endpoint"];

/** What others tell, as far as we use it: Node.js by prom-client, redis_exporter, Alloy, and Prometheus itself. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  up: [],
  ALERTS: ["alertname", "alertstate", "severity"],
  process_start_time_seconds: [],
  process_cpu_seconds_total: [],
  process_resident_memory_bytes: [],
  nodejs_eventloop_lag_p99_seconds: [],
  redis_up: [],
  redis_memory_used_bytes: [],
  redis_commands_processed_total: [],
  redis_connected_slaves: [],
  loki_write_dropped_entries_total: [],
};

const WORDS = new Set(["and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"]);
const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;

export interface Named {
  readonly metrics: readonly string[];
  /** Labels, each with the metrics it is asked of: all of an expression where it groups. */
  readonly labels: readonly { readonly label: string; readonly of: readonly string[] }[];
}

export function namedIn(expression: string): Named {
  const bare = expression.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').replaceAll(/\[[^\]]*\]/g, "");
  const grouped = [...bare.matchAll(GROUPING)].flatMap((match) => listed(match[1] ?? ""));
  const selectors = bare.replaceAll(GROUPING, " ").matchAll(/([a-zA-Z_:][\w:]*)\s*(\(|\{[^}]*\})?/g);
  const metrics = new Set<string>();
  const labels: { label: string; of: readonly string[] }[] = [];
  for (const [, name = "", rest = ""] of selectors) {
    if (rest === "(" || WORDS.has(name)) continue;
    metrics.add(name);
    for (const [, label = ""] of rest.matchAll(/([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)/g)) labels.push({ label, of: [name] });
  }
  return { metrics: [...metrics], labels: [...labels, ...grouped.map((label) => ({ label, of: [...metrics] }))] };
}

/** @returns what it names that is nowhere told, a line each */
export function unknownIn(expression: string, recorded: ReadonlyMap<string, readonly string[]>): string[] {
  const { metrics, labels } = namedIn(expression);
  const strangers = metrics.filter((name) => labelsOf(name, recorded) === null);
  if (metrics.length === 0) return ["no metric"];
  return [
    ...strangers.map((name) => `the metric ${name}`),
    ...labels.flatMap(({ label, of }) =>
      of
        .filter((name) => labelsOf(name, recorded)?.includes(label) === false)
        .map((name) => `the label ${label} of ${name}`),
    ),
  ];
}

function labelsOf(name: string, recorded: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const own = recorded.get(name) ?? FOREIGN[name] ?? tableLabels(name);
  return own === null || recorded.has(name) ? own : [...own, ...TARGET_LABELS];
}

function tableLabels(name: string): readonly string[] | null {
  for (const metric of Object.values(METRICS)) {
    if (metric.type !== "histogram" && metric.name === name) return metric.labels;
    if (metric.type !== "histogram") continue;
    if (name === `${metric.name}_bucket`) return [...metric.labels, "le"];
    if (name === `${metric.name}_count` || name === `${metric.name}_sum`) return metric.labels;
  }
  return null;
}

/** What rules record, `level:metric:operation`, has the labels of its level. */
export function recordedBy(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return new Map(names.map((name) => [name, (name.split(":")[0] ?? "").split("_")]));
}

function listed(text: string): string[] {
  return text.split(",").map((label) => label.trim());
}
