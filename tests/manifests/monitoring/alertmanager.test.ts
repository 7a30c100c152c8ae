import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { alertmanagerConfig } from "./alertmanager-config.ts";
import { readAlertmanagerFile, writeForThisAlertmanager } from "./alertmanager-file.ts";
import { ask, root, whereMissing } from "./programs.ts";
import { alerts } from "./rules-file.ts";

const noAmtool = whereMissing("amtool");
const file = readAlertmanagerFile();
let folder: string;
let config: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "alertmanager-"));
  config = await writeForThisAlertmanager(file, folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(noAmtool !== "")(`amtool${noAmtool}`, () => {
  test("takes the configuration and its templates", async () => {
    const { ok, said } = await ask("amtool", "check-config", config);
    expect({ ok, said }).toMatchObject({ ok: true, said: expect.stringContaining("SUCCESS") });
    expect(said).toMatch(/1 templates|millrace\.tmpl {2}SUCCESS/);
  });

  test.each([
    ["critical", "millrace-everywhere"],
    ["warning", "millrace-everywhere"],
    ["info", "millrace-webhook"],
  ])("sends what is %s to %s", async (severity, receiver) => {
    const args = ["config", "routes", "test", `--config.file=${config}`, `--verify.receivers=${receiver}`];
    for (const name of ["MillraceApiDown", "MillraceDeadLetters"]) {
      const { ok, said } = await ask("amtool", ...args, `alertname=${name}`, `severity=${severity}`, "namespace=m");
      expect({ ok, said }).toMatchObject({ ok: true, said: expect.stringContaining(receiver) });
    }
  });

  test("sends nobody what is not of Millrace", async () => {
    const args = ["config", "routes", "test", `--config.file=${config}`, "--verify.receivers=nobody"];
    expect(await ask("amtool", ...args, "alertname=Watchdog", "severity=critical")).toMatchObject({ ok: true });
  });

  test("writes a message that says what, where, how bad and what to do, and escapes what it did not write", async () => {
    const alert = (status: string, summary: string) => ({
      status,
      labels: { alertname: "MillraceBacklogOld", severity: "critical", namespace: "m" },
      annotations: { summary, description: "Why.", runbook_url: "docs/runbook.md#x" },
      startsAt: "2026-01-31T12:00:00Z",
      endsAt: "2026-01-31T12:10:00Z",
    });
    const data = {
      receiver: "r",
      status: "firing",
      alerts: [alert("firing", "Partition 3 <waits>"), alert("resolved", "Partition 4")],
      groupLabels: { alertname: "MillraceBacklogOld", namespace: "m" },
      commonLabels: { severity: "critical" },
      commonAnnotations: {},
      externalURL: "http://a",
    };
    await writeFile(join(folder, "data.json"), JSON.stringify(data));
    const { said } = await ask(
      "amtool",
      "template",
      "render",
      "--template.type=html",
      `--template.glob=${root}/infra/monitoring/templates/*.tmpl`,
      `--template.data=${join(folder, "data.json")}`,
      `--template.text={{ template "millrace.telegram" . }}`,
    );
    for (const part of [
      "🔴 <b>MillraceBacklogOld</b> in m",
      "• Partition 3 &lt;waits&gt;",
      "✓ over: Partition 4",
      "Why.",
      "docs/runbook.md#x",
    ]) {
      expect(said).toContain(part);
    }
  });
});

test("each severity that an alert may have is sent somewhere", () => {
  const routed = file.route.routes.flatMap(({ matchers }) => /severity = "(\w+)"/.exec(matchers.join())?.[1] ?? []);
  expect(alerts.filter(({ labels }) => !routed.includes(labels?.severity ?? ""))).toEqual([]);
});

test("what is silenced by another alert is an alert", () => {
  const patterns = file.inhibit_rules.flatMap(({ source_matchers, target_matchers }) =>
    [...source_matchers, ...target_matchers].flatMap(
      (text) => /^alertname =~? "(.+)"$/.exec(text)?.[1]?.split(/\|(?=Millrace)/) ?? [],
    ),
  );
  for (const pattern of patterns) {
    const found = alerts.filter(({ alert }) => new RegExp(`^(?:${pattern})$`).test(alert));
    expect(found, pattern).not.toEqual([]);
  }
});

test("no secret stands in it", async () => {
  const text = await readFile(join(root, "infra/monitoring/alertmanager.yml"), "utf8");
  expect(text).not.toMatch(/bot_token:|password:|\d{8,10}:[\w-]{35}/);
});

test("the AlertmanagerConfig says the same; npm run monitoring writes it", async () => {
  const template = await readFile(join(root, "infra/monitoring/templates/millrace.tmpl"), "utf8");
  const text = `# Made of alertmanager.yml by npm run monitoring: change that.\n${stringify(alertmanagerConfig(file, template), { lineWidth: 0, aliasDuplicateObjects: false })}`;
  await expect(text).toMatchFileSnapshot(join(root, "infra/monitoring/alertmanager-config.yaml"));
});
