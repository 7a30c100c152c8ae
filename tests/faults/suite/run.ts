/** The whole of a run: a cluster, round after round, and what it came to. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUp } from "../../harness/running.ts";
import { type SkewedClocks, startClocks } from "./clocks.ts";
import { type Cluster, PARTITIONS, startCluster } from "./cluster.ts";
import { LogArchive } from "./log-archive.ts";
import type { Nemesis } from "./nemesis.ts";
import type { SuiteOptions } from "./options.ts";
import { randomFrom } from "./random.ts";
import { Recorder } from "./recorder.ts";
import { boundOf, keepEvidence, type Row, renderTable, toRow } from "./report.ts";
import { findRights } from "./rights.ts";
import { type RoundResult, runRound } from "./round.ts";
import { combinations, oneByOne, sortByRights } from "./schedule.ts";
import type { Kind } from "./violations.ts";

const LOG_NODES = 3;

/** What `--out` writes. */
export interface RunResult {
  readonly seed: number;
  readonly rows: readonly Row[];
  readonly skipped: readonly { readonly name: string; readonly missing: readonly string[] }[];
  readonly violations: Partial<Record<Kind, number>>;
  /** Where the evidence is; null when there was nothing to keep. */
  readonly evidence: string | null;
}

/** @returns the exit code: 1 when anything was violated */
export async function runSuite(options: SuiteOptions, say: (line: string) => void): Promise<number> {
  const { seed } = options;
  const random = randomFrom(seed);
  const rights = findRights();
  const { possible, skipped } = sortByRights(options.nemeses, rights);
  say(`seed ${seed}, ${possible.length} nemeses`);
  for (const { name, missing } of skipped) say(`!!! SKIPPED ${name}: this machine gives no ${missing.join(", ")}`);

  const clocks = rights.has("compiler") ? await startClocks(LOG_NODES) : null;
  let stage = await setStage(clocks);
  const rows: Row[] = [];
  const violations: Partial<Record<Kind, number>> = {};
  let evidence: string | null = null;
  const deadlineMs = performance.now() + (options.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  const forever = options.minutes !== null;
  const schedule = options.combine ? combinations(possible, random.fork("schedule")) : oneByOne(possible, forever);
  let number = 0;
  for (const nemeses of schedule) {
    if (performance.now() > deadlineMs || (options.combine && !forever && number >= possible.length)) break;
    number += 1;
    say(`round ${number}: ${describe(nemeses)}`);
    const result = await runRound({
      ...stage,
      random: random.fork(`round ${number}`),
      number,
      nemeses,
      rate: options.rate,
    });
    rows.push(toRow(result, stage.acknowledged));
    stage.acknowledged = result.judgement?.fates.acknowledged ?? stage.acknowledged;
    say(summary(result));
    if (result.findings.total === 0) {
      if (nemeses.some(({ trimsLog }) => trimsLog)) {
        await clear(stage);
        stage = await setStage(clocks);
      }
      continue;
    }
    for (const [kind, count] of Object.entries(result.findings.counts())) {
      violations[kind as Kind] = (violations[kind as Kind] ?? 0) + count;
    }
    for (const { kind, what } of result.findings.list().slice(0, 8)) say(`    !!! ${kind}: ${what.slice(0, 400)}`);
    evidence ??= await mkdtemp(join(tmpdir(), `millrace-faults-seed-${seed}-`));
    say(`    evidence: ${await keepEvidence(evidence, number, result, stage.cluster)}`);
    if (options.untilViolation) break;
    // What is halted or lost stays so, and would be found in every later round.
    await clear(stage);
    stage = await setStage(clocks);
  }
  await clear(stage);
  await cleanUp();
  say(`\nseed ${seed}\n${renderTable(rows)}\n${boundOf(rows)}`);
  for (const { name, missing } of skipped) say(`skipped: ${name} (no ${missing.join(", ")})`);
  const failed = Object.keys(violations).length > 0;
  say(failed ? `VIOLATED: ${JSON.stringify(violations)}; evidence in ${evidence}` : "nothing was violated");
  const result: RunResult = { seed, rows, skipped, violations, evidence };
  if (options.out !== null) await writeFile(options.out, `${JSON.stringify(result, null, 2)}\n`);
  return failed ? 1 : 0;
}

/** A cluster, and all that was ever done to it. */
interface Stage {
  readonly cluster: Cluster;
  readonly archive: LogArchive;
  readonly recorder: Recorder;
  readonly foreign: Set<string>;
  acknowledged: number;
}

async function setStage(clocks: SkewedClocks | null): Promise<Stage> {
  const cluster = await startCluster(clocks);
  const archive = new LogArchive(cluster);
  archive.start();
  return { cluster, archive, recorder: new Recorder(PARTITIONS), foreign: new Set(), acknowledged: 0 };
}

async function clear({ cluster, archive }: Stage): Promise<void> {
  await archive.stop();
  await cluster.stop();
}

function describe(nemeses: readonly Nemesis[]): string {
  return nemeses.map(({ name, does }) => `${name} (${does})`).join(" + ");
}

function summary({ findings, operations, failovers, stalls, drainedMs, groupSamples }: RoundResult): string {
  const s = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return (
    `    ${findings.total === 0 ? "held" : "VIOLATED"}: ${operations} operations, ${failovers} failovers, ` +
    `write stall ${s(stalls.writeMs)}, apply stall ${s(stalls.applyMs)}, read stall ${s(stalls.readMs)}, ` +
    `drained in ${s(drainedMs)}${groupSamples > 0 ? `, ${groupSamples} looks at the group` : ""}`
  );
}
