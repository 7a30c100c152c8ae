import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PARTITION_STATES } from "../../../core/partition-state.ts";
import { METRICS } from "../../../core/telemetry.ts";
import { dataSourceVariables, drawn, panelExpressions, panels } from "./dashboard-file.ts";
import { namedIn, recordedBy, unknownIn } from "./expressions.ts";
import { ask, whereMissing } from "./programs.ts";
import { rules } from "./rules-file.ts";

const noPromtool = whereMissing("promtool");
const recorded = recordedBy(rules.flatMap(({ record }) => record ?? []));
const expressions = panelExpressions;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dashboard-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.skipIf(noPromtool !== "")(
  `promtool can parse every expression${noPromtool}`,
  async () => {
    const rulesOf = expressions.map(({ expr }, index) => ({ record: `panel:${index}`, expr }));
    const path = join(folder, "rules.yml");
    // JSON is YAML.
    await writeFile(path, JSON.stringify({ groups: [{ name: "dashboard", rules: rulesOf }] }));
    const { ok, said } = await ask("promtool", "check", "rules", path);
    expect({ ok, said }).toMatchObject({
      ok: true,
      said: expect.stringContaining(`${expressions.length} rules found`),
    });
  },
  60_000,
);

test("every expression names metrics and labels that are told", () => {
  const faults = expressions.flatMap(({ title, expr }) =>
    unknownIn(expr, recorded).map((fault) => `${title}: ${fault}`),
  );
  expect(faults).toEqual([]);
});

test("every metric of the table is shown, or asked for by an alert", () => {
  const shown = [...expressions, ...rules].flatMap(({ expr }) => namedIn(expr).metrics);
  const names = shown.map((name) => name.replace(/_(bucket|count|sum)$/, ""));
  /** What is there for who looks closely: each has something beside it that is shown. */
  const closely = new Set([
    "partitions",
    "partitionOwner",
    "partitionStateEntered",
    "deadLetterBytes",
    "idempotencyKeys",
  ]);
  const missing = Object.entries(METRICS).filter(([key, { name }]) => !names.includes(name) && !closely.has(key));
  expect(missing.map(([, { name }]) => name)).toEqual([]);
});

test("a partition's state is shown by its name, whichever it is", () => {
  const state = drawn.find(({ title }) => title === "State");
  const [names] = state?.fieldConfig?.defaults.mappings ?? [];
  const numbers = new Map(
    [...(state?.targets?.[0]?.expr ?? "").matchAll(/(\d) \* millrace_partition_state\{[^}]*state="([\w-]+)"/g)].map(
      ([, number = "", name]) => [name, number],
    ),
  );
  expect(PARTITION_STATES.map((name) => names?.options[numbers.get(name) ?? ""]?.text)).toEqual([...PARTITION_STATES]);
});

describe("panels", () => {
  test("have a title, a meaning and an id of their own", () => {
    expect(drawn.filter(({ title, description }) => title === "" || (description ?? "") === "")).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  test("do not cover each other", () => {
    const cells = drawn.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...drawn.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
  });

  test("ask data sources that the reader chooses", () => {
    expect(
      drawn.map(({ datasource }) => datasource?.uid).filter((uid) => !dataSourceVariables.includes(uid ?? "")),
    ).toEqual([]);
  });

  test("go by the namespace that the reader chooses", () => {
    const free = expressions.filter(
      ({ title, expr }) => title !== "Alerts" && !expr.includes('namespace=~"$namespace"'),
    );
    expect(free).toEqual([]);
  });
});
