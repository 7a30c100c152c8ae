import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { LETTERS_MAX, LETTERS_MAX_BYTES, LOG_MEMORY_ADMIT_SHARE, LOG_MEMORY_TRIM_SHARE } from "../../../core/limits.ts";
import { PARTITION_STATES } from "../../../core/partition-state.ts";
import { METRICS } from "../../../core/telemetry.ts";
import { LINES } from "../../harness/authorization-lines.ts";
import { recordedBy, unknownIn } from "./expressions.ts";
import { ask, root, whereMissing } from "./programs.ts";
import { type Alert, alerts, RULES_PATH, readYaml, rules, rulesFile } from "./rules-file.ts";

const TOOL_TIMEOUT_MS = 120_000;
const noPromtool = whereMissing("promtool");
const recorded = recordedBy(rules.flatMap(({ record }) => record ?? []));
const expressionOf = (name: string): string => alerts.find(({ alert }) => alert === name)?.expr ?? "";

describe.skipIf(noPromtool !== "")(`promtool${noPromtool}`, () => {
  test("takes the rules", async () => {
    expect(await ask("promtool", "check", "rules", RULES_PATH)).toMatchObject({ ok: true });
  });

  test.each(["rules.test.yml", "rules-hours.test.yml"])(
    "sees every alert fire when it must, and be silent when not: %s",
    async (file) => {
      expect(await ask("promtool", "test", "rules", file)).toMatchObject({ ok: true });
    },
    TOOL_TIMEOUT_MS,
  );
});

interface UnitTests {
  readonly tests: readonly {
    readonly promql_expr_test: readonly { expr: string; exp_samples: readonly unknown[] }[];
  }[];
}

const checks = ["rules.test.yml", "rules-hours.test.yml"].flatMap((file) =>
  (readYaml(`infra/monitoring/${file}`) as UnitTests).tests.flatMap((one) => one.promql_expr_test),
);

describe.each(alerts.map((alert) => [alert.alert, alert] as const))("%s", (name, alert: Alert) => {
  const mine = checks.filter(({ expr }) => expr.includes(`alertname="${name}"`));

  test("is seen firing and seen silent by promtool", () => {
    expect(mine.filter(({ exp_samples }) => exp_samples.length > 0)).not.toEqual([]);
    expect(mine.filter(({ exp_samples }) => exp_samples.length === 0)).not.toEqual([]);
  });

  test("says how bad it is, what it is about, and what to do", () => {
    expect(alert.labels?.severity).toMatch(/^(critical|warning|info)$/);
    expect(alert.labels?.concern).toMatch(/^[a-z]+$/);
    expect(alert.annotations?.summary?.length).toBeGreaterThan(10);
    expect(alert.annotations?.description?.length).toBeGreaterThan(20);
    expect(alert.annotations?.runbook_url).toBe(`docs/runbook.md#${name.toLowerCase()}`);
  });

  test("has its section in the runbook: what it means, how to look, what to do", () => {
    const runbook = readFileSync(join(root, "docs/runbook.md"), "utf8");
    const section = runbook.split(/^## /m).find((text) => text.startsWith(`${name}\n`)) ?? "";
    for (const part of ["Means", "Look", "Do"]) expect(section).toContain(`**${part}**`);
  });
});

test("the runbook has no section of an alert that there is not", () => {
  const runbook = readFileSync(join(root, "docs/runbook.md"), "utf8");
  const sections = [...runbook.matchAll(/^## (Millrace\w+)$/gm)].map((match) => match[1] ?? "");
  expect(sections.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
});

test("every expression names metrics and labels that are told", () => {
  expect(rules.flatMap(({ expr }) => unknownIn(expr, recorded).map((fault) => `${fault}, in ${expr}`))).toEqual([]);
});

describe("what rules say in numbers and names is what the code says:", () => {
  test("the accept objective is about the routes that write, and no other", () => {
    const pattern = /route=~"([^"]+)"/.exec(rules[0]?.expr ?? "")?.[1] ?? "";
    const matched = Object.keys(LINES).filter((route) => new RegExp(`^(?:${pattern})$`).test(route));
    const writes = Object.entries(LINES).filter(([, { kind, action }]) => kind === "key" && action === "write");
    expect(matched.toSorted()).toEqual(writes.map(([route]) => route).toSorted());
  });

  test("the applied objective's threshold is a bucket, and one that every Prometheus calls the same", () => {
    const threshold = /le="([^"]+)"/.exec(rules.find(({ expr }) => expr.includes("le="))?.expr ?? "")?.[1] ?? "";
    expect(METRICS.putToApplied.buckets.map(String)).toContain(threshold);
    expect(Number.isInteger(Number(threshold))).toBe(false);
  });

  test("bounds", () => {
    expect(expressionOf("MillraceDeadLettersNearlyFull")).toContain(`/ ${LETTERS_MAX} >`);
    expect(expressionOf("MillraceDeadLettersNearlyFull")).toContain(`/ ${LETTERS_MAX_BYTES} >`);
    expect(expressionOf("MillraceLogMemoryHigh")).toContain(`> ${LOG_MEMORY_TRIM_SHARE}\n`);
    const { description } = alerts.find(({ alert }) => alert === "MillraceLogMemoryHigh")?.annotations ?? {};
    expect(description).toContain(`From ${LOG_MEMORY_TRIM_SHARE * 100} % on`);
    expect(description).toContain(`from ${LOG_MEMORY_ADMIT_SHARE * 100} % on`);
  });

  test("each state of a partition but ok has an alert", () => {
    const named = ["MillracePartitionLostBase", "MillracePartitionFrozen", "MillracePartitionStopped"].flatMap((name) =>
      (/state=~?"([^"]+)"/.exec(expressionOf(name))?.[1] ?? "").split("|"),
    );
    expect(named.toSorted()).toEqual(PARTITION_STATES.filter((state) => state !== "ok").toSorted());
  });
});

test("the PrometheusRule is made of rules.yml; npm run monitoring writes it", async () => {
  const object = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: "millrace", labels: { release: "kube-prometheus-stack" } },
    spec: { groups: rulesFile.groups },
  };
  const text = `# Made of rules.yml by npm run monitoring: change that.\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`;
  await expect(text).toMatchFileSnapshot(join(root, "infra/monitoring/prometheus-rule.yaml"));
});
