/**
 * Open-loop load: PUTs go out on a schedule, whether or not earlier ones are answered, and each one's time counts from
 * the moment it was due. So a server that stalls is charged for every request that should have gone out meanwhile.
 * Arguments: URL that a key's number is appended to, requests per second, seconds, good statuses, headers ("Name: value").
 * Writes a LatencyReport to stdout; ends with an error when any answer was not good.
 */
import { Agent, request } from "node:http";
import { Worker } from "node:worker_threads";
import type { Schedule } from "./metronome.ts";

export interface LatencyReport {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How late the generator itself sent; it is part of the figures above. */
  readonly sentLateP99Ms: number;
}

const KEYS = 1_000_000;
const CONNECTIONS_MAX = 256;
const ANSWER_WITHIN_MS = 10_000;
/** So that the thread is up before its first tick is due. */
const LEAD_MS = 300;

const [url = "", perSecond, seconds, statuses = "", ...headerLines] = process.argv.slice(2);
const headers = Object.fromEntries(headerLines.map((line) => line.split(": ")));
const good = new Set(statuses.split(",").map(Number));
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
const body = Buffer.alloc(100, "v");
const runOffset = Math.floor(Math.random() * KEYS);

const now = () => performance.timeOrigin + performance.now();
const schedule: Schedule = {
  firstTickMs: now() + LEAD_MS,
  intervalMs: 1_000 / Number(perSecond),
  ticks: Number(perSecond) * Number(seconds),
};
const latenciesMs: number[] = [];
const sentLateMs: number[] = [];

function send(tick: number): void {
  const dueMs = schedule.firstTickMs + tick * schedule.intervalMs;
  sentLateMs.push(now() - dueMs);
  const key = String((runOffset + tick) % KEYS).padStart(8, "0");
  const sent = request(`${url}${key}`, { method: "PUT", agent, headers, timeout: ANSWER_WITHIN_MS });
  sent.on("timeout", () => sent.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
  sent.on("response", (response) => {
    const { statusCode = 0 } = response;
    if (!good.has(statusCode)) throw new Error(`PUT ${key}: ${statusCode} instead of ${statuses}`);
    response.resume();
    response.on("end", () => {
      latenciesMs.push(now() - dueMs);
      if (latenciesMs.length === schedule.ticks) report();
    });
  });
  sent.end(body);
}

function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

function report(): void {
  const figures: LatencyReport = {
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    sentLateP99Ms: percentile(sentLateMs, 0.99),
  };
  process.stdout.write(JSON.stringify(figures));
  agent.destroy();
}

new Worker(new URL("metronome.js", import.meta.url), { workerData: schedule }).on("message", send);
