/** What is added to kube-prometheus-stack, and what the Prometheus and the Grafana of a laptop are given. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { ask, root, whereMissing } from "./programs.ts";
import { alerts, readYaml } from "./rules-file.ts";

const noKubectl = whereMissing("kubectl");
const noPromtool = whereMissing("promtool");
const text = (path: string): string => readFileSync(join(root, path), "utf8");

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
}

describe.skipIf(noKubectl !== "")(`infra/monitoring, rendered${noKubectl}`, async () => {
  const { said } = noKubectl === "" ? await ask("kubectl", "kustomize", ".") : { said: "" };
  const objects = parseAllDocuments(said).map((document) => document.toJS() as Rendered);
  const find = (kind: string, start: string) =>
    objects.find(({ kind: own, metadata }) => own === kind && metadata.name.startsWith(start));

  test("holds monitors, rules, the way of alerts, and the logs", () => {
    const kinds = new Set(objects.map(({ kind }) => kind));
    for (const kind of ["ServiceMonitor", "PrometheusRule", "AlertmanagerConfig", "Role"])
      expect(kinds).toContain(kind);
    expect(kinds).not.toContain("Secret");
  });

  test("gives Grafana's sidecar the dashboard as it is", () => {
    const dashboard = find("ConfigMap", "millrace-dashboard");
    expect(dashboard?.metadata.labels).toMatchObject({ grafana_dashboard: "1" });
    expect(dashboard?.data?.["millrace.json"]).toBe(text("infra/monitoring/dashboards/millrace.json"));
  });

  test("asks each process by the name that rules and dashboard know it by", () => {
    const named = objects.filter(({ kind }) => kind === "ServiceMonitor").map((monitor) => JSON.stringify(monitor));
    for (const job of ["millrace-api", "millrace-consumer"]) {
      expect(named.some((monitor) => monitor.includes(`"replacement":"${job}"`))).toBe(true);
    }
    expect(alerts.flatMap(({ expr }) => [...expr.matchAll(/job="([^"]+)"/g)].map((match) => match[1]))).not.toEqual([]);
  });
});

describe("compose's Prometheus", () => {
  const configuration = readYaml("infra/monitoring/prometheus.yml") as { scrape_configs: { job_name: string }[] };

  test("has the jobs that rules and dashboard name", () => {
    const jobs = configuration.scrape_configs.map(({ job_name }) => job_name);
    const named = alerts.flatMap(({ expr }) => [...expr.matchAll(/job="([^"]+)"/g)].map((match) => match[1] ?? ""));
    expect(named.length).toBeGreaterThan(0);
    expect(jobs).toEqual(expect.arrayContaining(named));
  });

  test.skipIf(noPromtool !== "")(
    `takes its configuration${noPromtool}`,
    async () => {
      expect(await ask("promtool", "check", "config", "prometheus.yml")).toMatchObject({ ok: true });
    },
    60_000,
  );
});

test("compose's Grafana has the data sources that the dashboard lets choose, but Loki", () => {
  const { datasources } = readYaml("infra/monitoring/grafana/provisioning/datasources/millrace.yaml") as {
    datasources: { type: string }[];
  };
  expect(datasources.map(({ type }) => type)).toEqual(["prometheus", "jaeger"]);
});

describe("config.alloy", () => {
  const alloy = text("infra/monitoring/loki/config.alloy");
  const defined = [...alloy.matchAll(/^([a-z][\w.]*) "(\w+)" \{$/gm)].map((match) => `${match[1]}.${match[2]}`);

  test("leads from what is defined to what is defined", () => {
    const used = [...alloy.matchAll(/(?:targets|forward_to)\s*= \[?([\w.]+)\.(?:targets|output|receiver)\]?$/gm)];
    expect(used.length).toBe(4);
    for (const [, name] of used) expect(defined).toContain(name);
  });

  test("has braces in pairs", () => {
    const bare = alloy.replaceAll(/"(?:[^"\\]|\\.)*"/g, "").replaceAll(/\/\/.*/g, "");
    for (const [open, close] of ["{}", "[]"]) {
      expect(bare.split(open ?? "").length).toBe(bare.split(close ?? "").length);
    }
  });

  test("makes no label of what has many values, and drops no line", () => {
    expect(/stage\.labels \{\s*values = \{ level = "" \}/.test(alloy)).toBe(true);
    expect(/stage\.label_drop \{\s*values = \["pod", "instance", "job"\]/.test(alloy)).toBe(true);
    expect(alloy).not.toMatch(/stage\.(drop|sampling|limit)\b/);
    expect(alloy).toContain("drop_malformed = false");
  });
});
