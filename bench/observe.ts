/**
 * node dist/bench/observe.js
 * What it costs to count an answered request, and to note the age of each applied command: with prom-client's histogram,
 * with ours command by command, and with ours by runs of one millisecond, as the consumer does it. Nanoseconds of
 * processor time for each, whatever else runs here; each figure is the middle one of its rounds.
 */
import { Histogram as PromHistogram, Registry } from "prom-client";
import { HttpCounts } from "../api/http-counts.ts";
import { observeAges } from "../consumer/apply-meter.ts";
import { Histogram } from "../core/histogram.ts";
import { METRICS } from "../core/telemetry.ts";
import { describeMachine } from "./machine.ts";
import { median } from "./row.ts";

const BATCH = 500;
/** Commands that one append call brings, and so one id's milliseconds: few, as under little load. */
const RUN = 5;
const BATCHES = 2000;
const ROUNDS = 7;

const NOW_MS = 1_800_000_000_000;
const batch = Array.from({ length: BATCH }, (_, at) => ({ id: `${NOW_MS - 400 + Math.floor(at / RUN)}-${at % RUN}` }));
const { buckets, name, help } = METRICS.putToApplied;
const prom = new PromHistogram({ name, help, buckets: [...buckets], registers: [new Registry()] });
const [single, byRuns] = [new Histogram(buckets), new Histogram(buckets)];
const ageS = (id: string) => (NOW_MS - Number(id.slice(0, id.indexOf("-")))) / 1000;

const answered = new HttpCounts().of("PUT /v1/kv/{namespace}/{key}");

const ways = {
  "a request, its status and its duration": () => {
    for (let at = 0; at < BATCH; at += 1) answered(202, performance.now());
  },
  "prom-client, each command": () => {
    for (const { id } of batch) prom.observe(ageS(id));
  },
  "ours, each command": () => {
    for (const { id } of batch) single.observe(ageS(id));
  },
  "ours, by runs": () => observeAges(byRuns, batch, NOW_MS),
};

const taken = Object.keys(ways).map((way) => ({ way, rounds: [] as number[] }));
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [at, run] of Object.values(ways).entries()) {
    const begun = process.cpuUsage();
    for (let i = 0; i < BATCHES; i += 1) run();
    // The first round is the warm-up.
    const { user, system } = process.cpuUsage(begun);
    if (round > 0) taken[at]?.rounds.push(((user + system) * 1000) / (BATCHES * BATCH));
  }
}
process.stdout.write(`${JSON.stringify(describeMachine())}\n`);
for (const { way, rounds } of taken) process.stdout.write(`${median(rounds).toFixed(0).padStart(6)} ns  ${way}\n`);
