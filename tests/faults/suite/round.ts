/**
 * One round: clients write and read, one or more faults are struck beside them, all is healed, the clients go on until
 * it works again, everything drains, and log, store and history are judged.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../harness/wait-for.ts";
import { check, type Judgement } from "./check.ts";
import type { Cluster } from "./cluster.ts";
import { PARTITIONS } from "./cluster.ts";
import { askStatuses, readLogFrom, readStores } from "./collect.ts";
import type { Evidence } from "./evidence.ts";
import { sampleGroup } from "./group-sampler.ts";
import { claimOf, readSucceeded } from "./history.ts";
import type { LogArchive } from "./log-archive.ts";
import type { Nemesis, Strike } from "./nemesis.ts";
import type { Random } from "./random.ts";
import type { Recorder } from "./recorder.ts";
import { JOINED } from "./report.ts";
import { measureStalls, type Stalls } from "./stalls.ts";
import { startTraffic } from "./traffic.ts";
import { Findings } from "./violations.ts";

const CALM_MS = 1_000;
const AFTER_MS = 1_000;
/** From the last heal until everything accepted is applied. */
export const DRAIN_MAX_MS = 30_000;
const HEALTHY_MAX_MS = 60_000;
/** Faults of one round begin within so much of each other. */
const APART_MAX_MS = 3_000;

export interface RoundOptions {
  readonly cluster: Cluster;
  readonly archive: LogArchive;
  readonly recorder: Recorder;
  readonly random: Random;
  readonly number: number;
  readonly nemeses: readonly Nemesis[];
  readonly rate: number;
  readonly foreign: Set<string>;
}

export interface RoundResult {
  readonly name: string;
  readonly findings: Findings;
  readonly judgement: Judgement | null;
  readonly evidence: Evidence | null;
  readonly operations: number;
  readonly faults: number;
  readonly failovers: number;
  readonly stalls: Stalls;
  /** From the last heal until drained. */
  readonly drainedMs: number;
  readonly groupSamples: number;
  readonly notes: readonly string[];
}

export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { cluster, recorder, random, nemeses, foreign } = options;
  const findings = new Findings();
  const notes: string[] = [];
  const startMs = performance.now();
  const first = recorder.operations.length;
  const failoversBefore = countFailovers(cluster);
  const note = (text: string): void => {
    notes.push(`${((performance.now() - startMs) / 1000).toFixed(2)} s: ${text}`);
  };
  const traffic = startTraffic({
    recorder,
    random: random.fork("traffic"),
    round: options.number,
    rate: options.rate,
    urls: () => cluster.urls(),
  });
  const sampler = nemeses.every(({ storeStays }) => storeStays) ? sampleGroup(cluster, findings) : null;
  const write: Strike["write"] = async (namespace, key) => {
    const url = random.pick(cluster.urls());
    const value = `w${recorder.nextId}`;
    await recorder.perform(url, 0, { kind: "put", namespace, key, value, waits: random.chance(0.5), strong: false });
  };
  await sleep(CALM_MS);
  const faultMs = performance.now();
  const struck = nemeses.map(async (nemesis) => {
    const own = random.fork(nemesis.name);
    if (nemeses.length > 1) await sleep(own.integer(0, APART_MAX_MS));
    await strikeAndHeal(nemesis, { cluster, random: own, note, foreign, write }, findings);
  });
  await Promise.all(struck);
  const healedMs = performance.now();
  note("healed");

  await untilItWorks(options, healedMs, findings);
  await sleep(AFTER_MS);
  await traffic.stop();
  const endMs = performance.now();
  await sampler?.stop();
  await cluster.drained(DRAIN_MAX_MS - (performance.now() - healedMs)).catch((error: unknown) => {
    findings.add("not-drained", `${DRAIN_MAX_MS} ms after the last heal: ${String(error)}`);
  });
  const drainedMs = performance.now() - healedMs;
  for (const name of cluster.died()) findings.add("died", name);
  await cluster.healthy(HEALTHY_MAX_MS).catch((error: unknown) => findings.add("unhealed", String(error)));

  const operations = recorder.operations.slice(first);
  const result = {
    name: nemeses.map(({ name }) => name).join(JOINED),
    findings,
    operations: operations.length,
    faults: nemeses.length,
    failovers: countFailovers(cluster) - failoversBefore,
    stalls: measureStalls(operations, PARTITIONS, Math.min(faultMs, startMs + CALM_MS), endMs),
    drainedMs,
    groupSamples: sampler?.count ?? 0,
    notes,
  };
  try {
    const evidence = await collect(options, startMs);
    const judgement = check(evidence);
    findings.addAll(judgement.findings);
    return { ...result, judgement, evidence };
  } catch (error) {
    findings.add("unhealed", `nothing to judge: ${String(error)}`);
    return { ...result, judgement: null, evidence: null };
  }
}

async function strikeAndHeal(nemesis: Nemesis, strike: Omit<Strike, "later">, findings: Findings): Promise<void> {
  const undo: (() => Promise<void> | void)[] = [];
  const tell = (what: string) => (error: unknown) => {
    strike.note(`${nemesis.name}: ${what}: ${String(error)}`);
    findings.add("unhealed", `${nemesis.name}: ${what}: ${String(error)}`);
  };
  await nemesis.strike({ ...strike, later: (one) => void undo.push(one) }).catch(tell("could not strike"));
  for (const one of undo.toReversed()) await Promise.resolve().then(one).catch(tell("could not heal"));
}

/** Waits until each partition has accepted, applied and read something that began after the last heal. */
async function untilItWorks({ recorder }: RoundOptions, healedMs: number, findings: Findings): Promise<void> {
  const missing = (): string[] => {
    const seen = new Set<string>();
    for (let at = recorder.operations.length - 1; at >= 0; at -= 1) {
      const operation = recorder.operations[at];
      if (operation === undefined || operation.startMs < healedMs - 20_000) break;
      if (operation.startMs < healedMs) continue;
      if (operation.kind === "get") {
        if (readSucceeded(operation)) seen.add(`read of ${operation.partition}`);
        continue;
      }
      const claim = claimOf(operation);
      if (claim === "accepted" || claim === "done") seen.add(`write to ${operation.partition}`);
      if (claim === "done") seen.add(`apply in ${operation.partition}`);
    }
    const wanted = Array.from({ length: PARTITIONS }, (_, partition) => [
      `read of ${partition}`,
      `write to ${partition}`,
      `apply in ${partition}`,
    ]).flat();
    return wanted.filter((one) => !seen.has(one));
  };
  await waitFor(() => missing().length === 0, { timeoutMs: DRAIN_MAX_MS, intervalMs: 50 }).catch(() => {
    findings.add("not-drained", `${DRAIN_MAX_MS} ms after the last heal there was no ${missing().join(", ")}`);
  });
}

async function collect(
  { cluster, archive, recorder, random, foreign }: RoundOptions,
  roundStartMs: number,
): Promise<Evidence> {
  const [url = ""] = cluster.urls();
  const statuses = await askStatuses(url, recorder.operations, foreign, random.fork("statuses"));
  const stores = await readStores(cluster);
  // Afterwards: keys may expire meanwhile, and no store is ahead of its log.
  const log = await readLogFrom(cluster, () => "-");
  return {
    operations: recorder.operations,
    roundStartMs,
    log: archive.complete(log),
    stores,
    statuses,
    foreign,
    heldGrades: new Set(["replicated", "disk"]),
  };
}

/** As the Sentinel that saw most of them counts. */
function countFailovers(cluster: Cluster): number {
  const seen = cluster.sentinels.map((one) => one.logs().filter((line) => line.includes("+switch-master")).length);
  return Math.max(0, ...seen);
}
