/**
 * What something costs: accepted PUT/s of two api processes on the same Redis, which differ in it alone, in turns of a fraction
 * of a second, several times with new processes; and the processor time that each has taken for a PUT. No consumer runs.
 */

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { partitionOf } from "../core/partition.ts";
import { systemPartition } from "../core/system-keys.ts";
import type { Child } from "../infra/local/child.ts";
import { waitUntilReady } from "../infra/local/service-process.ts";
import { request } from "./http-request.ts";
import { PARTITIONS, startApi, startSurroundings } from "./millrace.ts";
import { READY_WITHIN_MS } from "./node-process.ts";
import type { Row } from "./row.ts";
import { STOP_GRACE_MS, type Stage } from "./stage.ts";
import { inTurns } from "./turns.ts";
import { startPuts } from "./wrk.ts";

/** One process is up to a twentieth faster than the next one of its kind, for all its life: the middle of so many is off by 2 %. */
const STARTS = 12;
/** Of each process: what runs for few requests only is slow until V8 has seen enough of it. */
const WARM_UP_SECONDS = 9;
const SECONDS = 9;
/** For turns and what is between them. */
const MARGIN_SECONDS = 30;
/** In rounds of turns: some five seconds, of which each process has half. */
const BESIDE_EVERY = 15;
const RETRY_MS = 50;
/** More than are written to one process at a stretch. */
const KEYS_AT_ONCE = 1_000_000;

/** One of the two, while it runs. */
export interface Running {
  readonly child: Child;
  readonly apiUrl: string;
  readonly opsUrl: string;
}

export interface Cost {
  readonly name: string;
  readonly what: string;
  /** Environment of the process that has it, and of the one that has not. */
  readonly on: Readonly<Record<string, string>>;
  readonly off: Readonly<Record<string, string>>;
  /** False where what differs are single modules. */
  readonly packed?: boolean;
  /** What may be left of the rate without it: 0.97 is a cost of 3 %. */
  readonly ratioMin: number;
  /** Before anything is measured. @throws Error when the switch does not switch */
  readonly check?: (on: Running, off: Running) => Promise<void>;
  /** What belongs to it and happens beside the writes: every five seconds, on the process that has it. */
  readonly beside?: (on: Running) => Promise<void>;
}

/** A program of dist/bench that changes a process before it begins, as environment. */
export function preload(program: string): { NODE_OPTIONS: string } {
  return { NODE_OPTIONS: `--import=${new URL(program, import.meta.url).href}` };
}

export async function benchCost(
  stage: Stage,
  { name, what, on, off, packed, ratioMin, check, beside }: Cost,
): Promise<Row[]> {
  const start = async (env: Cost["on"], more: Cost["on"]): Promise<Running> => {
    const { child, apiUrl, opsUrl } = await startApi(stage, { ...env, ...more }, packed);
    await waitUntilReady("api", child, opsUrl, READY_WITHIN_MS);
    await firstPut(`${apiUrl}/v1/kv/bench/${firstKey()}`);
    return { child, apiUrl, opsUrl };
  };
  let stretches = 0;
  const load = async (processes: readonly Running[], seconds: number, round?: (round: number) => void) => {
    const starting = processes.map(({ apiUrl }) => {
      const within = processes.length * seconds + MARGIN_SECONDS;
      stretches += 1;
      return startPuts(stage, `${apiUrl}/v1/kv/bench/k`, within, stretches * KEYS_AT_ONCE, KEYS_AT_ONCE);
    });
    return inTurns(await Promise.all(starting), seconds, round);
  };
  const measure = async (processes: readonly Running[], round: (round: number) => void): Promise<Figures[]> => {
    const before = processes.map(({ child }) => processorUs(child.pid));
    const taken = await load(processes, SECONDS, round);
    return taken.map(({ answers, seconds }, at) => ({
      perSecond: answers / seconds,
      usPerPut: (processorUs(processes[at]?.child.pid) - (before[at] ?? Number.NaN)) / answers,
    }));
  };
  const taken: { ours: Figures[]; baseline: Figures[] } = { ours: [], baseline: [] };
  for (let started = 0; started < STARTS; started += 1) {
    // Redis too: without a consumer, what was written stands before the settings that an api wants to know first.
    const { env } = await startSurroundings(stage);
    const [having, lacking] = [await start(env, on), await start(env, off)];
    await check?.(having, lacking);
    await load([having, lacking], WARM_UP_SECONDS);
    const readings: Promise<void>[] = [];
    const [ours, baseline] = await measure([having, lacking], (round) => {
      if (beside && round % BESIDE_EVERY === 0) readings.push(beside(having));
    });
    await Promise.all(readings);
    if (ours) taken.ours.push(ours);
    if (baseline) taken.baseline.push(baseline);
    await Promise.all([having.child.stop(STOP_GRACE_MS), lacking.child.stop(STOP_GRACE_MS)]);
  }
  const sides = (figure: keyof Figures) => ({
    ours: { name: "on", rounds: taken.ours.map((each) => each[figure]) },
    baseline: { name: "off", rounds: taken.baseline.map((each) => each[figure]) },
  });
  const rate: Row = {
    ...{ name, what, unit: "1/s", ...sides("perSecond") },
    targets: [{ of: "ratio", bound: "at least", value: ratioMin }],
  };
  if (Number.isNaN(taken.ours[0]?.usPerPut)) return [rate];
  const time: Row = {
    ...{ name: "", what: "processor time of the api a PUT", unit: "us", ...sides("usPerPut") },
    targets: [{ of: "ratio", bound: "at most", value: Number((1 / ratioMin).toFixed(2)) }],
  };
  return [rate, time];
}

interface Figures {
  readonly perSecond: number;
  readonly usPerPut: number;
}

/** What a process has taken so far (proc(5)): its clock ticks a hundred times a second. NaN where there is no /proc. */
function processorUs(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return Number.NaN;
  }
}

/** An api is ready a moment before it takes writes: it learns the settings of namespaces first. */
async function firstPut(url: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      await request(url, 202, { method: "PUT", body: "v" });
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/** Not of the partition with the settings: without a consumer nobody who starts later would ever know them. */
function firstKey(): string {
  let at = 0;
  while (partitionOf("bench", `first-${at}`, PARTITIONS) === systemPartition(PARTITIONS)) at += 1;
  return `first-${at}`;
}
