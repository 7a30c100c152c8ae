/**
 * npm run bench:listing -- [keys] [limit]
 * A namespace of many keys (1,000,000) is listed page by page while 1,000 writes/s go on: how long the pages take, the
 * first tenth of them beside the last, and whether a key that existed throughout was missed or came twice.
 * Ends with an error when one was, or when the pages at the end took half as long again as those at the beginning.
 */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startChild } from "../infra/local/child.ts";
import type { ChurnReport } from "./load/churn.ts";
import { describeMachine } from "./machine.ts";
import { backlog, startConsumer, startMillrace } from "./millrace.ts";
import { median } from "./row.ts";
import { STOP_GRACE_MS, Stage } from "./stage.ts";
import { putKeys, requireWrk } from "./wrk.ts";

const KEYS = 1_000_000;
const LIMIT = 1_000;
const WRITES_PER_SECOND = 1_000;
/** Put at once: the store keeps up, and wrk's time is bounded. */
const LOAD_KEYS = 100_000;
const LOAD_WITHIN_SECONDS = 60;
const DRAIN_WITHIN_MS = 120_000;
const DRAIN_POLL_MS = 100;
/** Before the figures are taken. */
const WARM_UP_PAGES = 50;
/** The last tenth of the pages may take so much longer than the first. */
const FLAT_MAX = 1.5;
const CHURN = fileURLToPath(new URL("load/churn.js", import.meta.url));

interface Page {
  readonly keys: readonly { readonly key: string }[];
  readonly cursor: string | null;
}

async function load(stage: Stage, keysUrl: string, keys: number, left: () => Promise<number>): Promise<void> {
  for (let first = 0; first < keys; first += LOAD_KEYS) {
    await putKeys(stage, keysUrl, first, Math.min(LOAD_KEYS, keys - first), LOAD_WITHIN_SECONDS);
    process.stderr.write(`${Math.min(first + LOAD_KEYS, keys)} keys put\n`);
  }
  const deadlineMs = performance.now() + DRAIN_WITHIN_MS;
  while ((await left()) > 0) {
    if (performance.now() > deadlineMs) throw new Error(`not applied within ${DRAIN_WITHIN_MS} ms`);
    await sleep(DRAIN_POLL_MS);
  }
}

function get(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`GET ${url}: ${response.statusCode} ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** The number of a key that exists throughout, or null. */
function numberOf(key: string): number | null {
  const number = /^k(\d{8})$/.exec(key)?.[1];
  return number === undefined ? null : Number(number);
}

async function list(url: string, keys: number, limit: number, pages = Number.POSITIVE_INFINITY) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const seen = new Uint8Array(keys);
  const pagesMs: number[] = [];
  let disordered = 0;
  let last = "";
  for (let cursor: string | null = ""; cursor !== null && pagesMs.length < pages; ) {
    const fromMs = performance.now();
    const text = await get(`${url}?limit=${limit}${cursor === "" ? "" : `&cursor=${cursor}`}`, agent);
    pagesMs.push(performance.now() - fromMs);
    const page = JSON.parse(text) as Page;
    for (const { key } of page.keys) {
      if (key <= last) disordered += 1;
      last = key;
      const number = numberOf(key);
      if (number !== null) seen[number] = (seen[number] ?? 0) + 1;
    }
    cursor = page.cursor;
  }
  agent.destroy();
  return {
    pagesMs,
    disordered,
    missed: seen.reduce((sum, times) => sum + (times === 0 ? 1 : 0), 0),
    doubled: seen.reduce((sum, times) => sum + (times > 1 ? 1 : 0), 0),
  };
}

function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return Number((sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN).toFixed(2));
}

const keys = Number(process.argv[2] ?? KEYS);
const limit = Number(process.argv[3] ?? LIMIT);
const machine = describeMachine();
await requireWrk();
const stage = new Stage();
try {
  const millrace = await startMillrace(stage);
  await startConsumer(stage, millrace);
  await load(stage, millrace.keysUrl, keys, () => backlog(millrace));
  const args = [CHURN, millrace.keysUrl, String(keys), String(WRITES_PER_SECOND)];
  const churn = await stage.add(startChild({ command: process.execPath, args, reaper: stage.reaper }));
  const url = `${millrace.apiUrl}/v1/kv/bench`;
  await list(url, keys, limit, WARM_UP_PAGES);
  const { pagesMs, ...told } = await list(url, keys, limit);
  const code = await churn.stop(STOP_GRACE_MS);
  if (code !== 0) throw new Error(`the writes failed:\n${churn.lines().slice(-15).join("\n")}`);
  const writes = JSON.parse(churn.lines().at(-1) ?? "") as ChurnReport;
  const tenth = Math.max(1, Math.floor(pagesMs.length / 10));
  const [first, last] = [pagesMs.slice(0, tenth), pagesMs.slice(-tenth)];
  const figures = (of: readonly number[]) => ({ p50Ms: percentile(of, 0.5), p99Ms: percentile(of, 0.99) });
  const ratio = Number((median(last) / median(first)).toFixed(2));
  const summary = {
    keys,
    limit,
    pages: pagesMs.length,
    ...told,
    allPages: figures(pagesMs),
    firstTenth: figures(first),
    lastTenth: figures(last),
    ratio,
    writes,
    machine,
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  if (told.missed > 0 || told.doubled > 0 || told.disordered > 0 || ratio > FLAT_MAX) process.exitCode = 1;
} finally {
  await stage.stop();
}
