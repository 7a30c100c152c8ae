import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "../harness/program.ts";
import { cleanUpLater } from "../harness/running.ts";
import type { RunResult } from "./suite/run.ts";

const PROGRAM = "dist/tests/faults/suite/main.js";
const CORE_MAX_MS = 400_000;

/** The suite as a process of its own: it works in a network of its own, where the system lets it. */
async function runSuite(args: readonly string[]): Promise<{ code: number | null; output: string; result: RunResult }> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-suite-"));
  cleanUpLater(() => rm(folder, { recursive: true, force: true }));
  const out = join(folder, "result.json");
  const { code, output } = await runProgram(PROGRAM, [...args, "--out", out]);
  const json = await readFile(out, "utf8").catch(() => {
    throw new Error(`the suite ended with ${code} and no result:\n${output}`);
  });
  return { code, output, result: JSON.parse(json) as RunResult };
}

test(
  "under each of the core faults nothing acknowledged is lost, doubled or reordered, and all goes on by itself",
  async ({ annotate }) => {
    const { code, output, result } = await runSuite(["--nemesis", "core"]);
    for (const { name, missing } of result.skipped) await annotate(`skipped: ${name} (no ${missing.join(", ")})`);
    expect(result.violations, output).toEqual({});
    expect(code).toBe(0);
    for (const row of result.rows) {
      expect(row.acknowledged, row.nemesis).toBeGreaterThan(50);
      expect(row.registers, row.nemesis).toBeGreaterThan(0);
    }
    expect(result.rows.find(({ nemesis }) => nemesis === "store-failover-lossy")?.failovers).toBeGreaterThan(0);
  },
  CORE_MAX_MS,
);

test("a wrong name of a fault is told, with those that there are", async () => {
  const { code, output } = await runProgram(PROGRAM, ["--nemesis", "none-such"]);
  expect(code).toBe(2);
  expect(output).toContain("no nemesis none-such; there are: consumer-kill");
});
