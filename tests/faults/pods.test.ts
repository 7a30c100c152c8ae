import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "../harness/program.ts";
import { cleanUpLater } from "../harness/running.ts";
import type { PodsResult } from "./pods/play.ts";

const PROGRAM = "dist/tests/faults/pods/main.js";
const CANNOT = 3;
const MAX_MS = 400_000;

test(
  "the StatefulSets of log and store keep one master and all data, whatever becomes of addresses and passwords, and least privilege is enough",
  async ({ annotate, skip }) => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-pods-test-"));
    cleanUpLater(() => rm(folder, { recursive: true, force: true }));
    const out = join(folder, "result.json");
    // In a network and a mount table of its own.
    const { code, output } = await runProgram(PROGRAM, ["--out", out]);
    if (code === CANNOT) {
      await annotate("pods: needs kubectl, and root for namespaces of its own");
      return skip("no kubectl, or no root");
    }
    expect(code, output).toBe(0);
    const { sights, acknowledged, faults, refusals, stubborn, wrongLogins } = JSON.parse(
      await readFile(out, "utf8"),
    ) as PodsResult;
    const steps = [
      "first boot",
      "master rescheduled with a new address",
      "rolling restart, new passwords accepted",
      "rolling restart, new passwords sent",
      "a node cut off",
      "full restart, old passwords refused",
    ];
    expect(sights.map(({ step, masters }) => [step, masters])).toEqual(
      steps.map((step) => [step, { log: 1, store: 1 }]),
    );
    expect(faults).toEqual([]);
    expect(acknowledged).toBeGreaterThan(0);
    expect(refusals).toEqual([]);
    expect(stubborn).toEqual([]);
    expect(wrongLogins).toEqual([]);
  },
  MAX_MS,
);
