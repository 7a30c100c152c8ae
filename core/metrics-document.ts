/**
 * docs/metrics.md, made from the table of metrics.
 */
import type { Metric } from "./metric.ts";

const HEAD = `# Metrics

Each process tells its own on its ops port: \`GET /metrics\`, in Prometheus' text format. This page is made from
\`core/metrics-table.ts\` by \`npm run metrics\`; a test keeps the two the same, and another one what running processes tell.

A histogram is exported as \`<name>_bucket\`, \`<name>_sum\` and \`<name>_count\`. What a process has not seen yet has no
series. Label values are few and never made of what a client sends: \`route\` is a method and a path template, \`redis\` is
\`log\` or \`store\`, \`grade\` is \`memory\`, \`replicated\` or \`disk\`. Every api tells of all partitions: take the largest
(\`max by (partition)\`); what is counted in a process is summed over processes.

Beside these stand the metrics that prom-client has of every Node.js process: \`process_…\` (CPU, memory, file
descriptors) and \`nodejs_…\` (event loop lag, heap, garbage collection).

| name | type | unit | labels | told by | meaning |
|---|---|---|---|---|---|
`;

/** One row a metric, in the order of the table. */
export function metricsDocument(metrics: Iterable<Metric>): string {
  const rows = [...metrics].map(({ name, type, unit, labels, by, help }) => {
    const names = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${type} | ${unit} | ${names} | ${by === "both" ? "api, consumer" : by} | ${help} |\n`;
  });
  return HEAD + rows.join("");
}
