/**
 * npm run bench:loss-window -- [rounds]
 * What grade `memory` loses when a log without replicas, `appendfsync everysec`, is killed under load (kill -9): commands
 * that were acknowledged and are not in the log when it is back, and how old the oldest of them was when the log died.
 *
 * Redis writes its file before it answers, unless a sync of it is on its way: then up to two seconds later. So a disk that
 * syncs fast loses nothing here, and a slow one up to two seconds of writes.
 *
 * It is the process that dies, not the host: what Redis has written to its file, the system keeps. A host that loses its power
 * also loses what was not synced yet: up to two seconds of writes more.
 */
import { mkdtempSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { partitionKeys } from "../core/keys.ts";
import { startRedisProcess } from "../infra/local/redis-process.ts";
import { waitUntilReady } from "../infra/local/service-process.ts";
import { PARTITIONS, startApi } from "./millrace.ts";
import { READY_WITHIN_MS } from "./node-process.ts";
import { startRedis, withRedis } from "./redis.ts";
import { Stage } from "./stage.ts";

const ROUNDS = 20;
/** No round is begun after this: all of it takes less than a minute. */
const BEGIN_WITHIN_MS = 55_000;
const CONNECTIONS = 32;
const LOAD_MIN_MS = 500;
/** On top, at random: the file is synced once a second, and the kill must fall anywhere between. */
const LOAD_SPREAD_MS = 1_000;
const VALUE = Buffer.alloc(100, "v");

interface Round {
  readonly acknowledged: number;
  readonly lost: number;
  /** 0 when nothing was lost. */
  readonly oldestLostMs: number;
}

/** Writes until the API refuses. @returns when each acknowledged command was acknowledged, by its revision */
async function writeUntilRefused(url: string): Promise<Map<string, number>> {
  const acknowledgedMs = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let refused = false;
  let count = 0;
  const put = () =>
    new Promise<void>((resolve) => {
      count += 1;
      const sent = request(`${url}/v1/kv/bench/k${count}`, { method: "PUT", agent }, (response) => {
        if (response.statusCode === 202) {
          acknowledgedMs.set(String(response.headers["millrace-revision"]), performance.now());
        } else refused = true;
        response.resume();
        response.on("end", resolve);
      });
      sent.on("error", () => {
        refused = true;
        resolve();
      });
      sent.end(VALUE);
    });
  const client = async () => {
    while (!refused) await put();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  agent.destroy();
  return acknowledgedMs;
}

/** Revisions of all entries that a log holds. */
function heldBy(url: string): Promise<Set<string>> {
  return withRedis(url, async (redis) => {
    const held = new Set<string>();
    for (const { partition, log } of partitionKeys(PARTITIONS)) {
      const tag = String(partition).padStart(2, "0");
      for (const [id] of await redis.xrange(log, "-", "+")) held.add(`${tag}-${id}`);
    }
    return held;
  });
}

async function runRound(stage: Stage): Promise<Round> {
  const { reaper } = stage;
  const dir = mkdtempSync(join(stage.dir, "log-"));
  const log = await startRedisProcess({ kind: "log", dir, reaper, args: ["--appendfsync", "everysec"] });
  await stage.add(Promise.resolve(log.child));
  const LOG_URL = `redis://127.0.0.1:${log.port}`;
  const env = { LOG_URL, STORE_URL: await startRedis(stage, "store"), MILLRACE_PARTITIONS: String(PARTITIONS) };
  const api = await startApi(stage, env);
  await waitUntilReady("api", api.child, api.opsUrl, READY_WITHIN_MS);

  const writing = writeUntilRefused(api.apiUrl);
  await sleep(LOAD_MIN_MS + Math.random() * LOAD_SPREAD_MS);
  const killedMs = performance.now();
  log.child.signal("SIGKILL");
  await log.child.exited;
  // What the API would send again must not take the place of what was lost.
  api.child.signal("SIGKILL");
  const acknowledgedMs = await writing;
  await stage.add(startRedisProcess({ kind: "log", dir, reaper, port: log.port }).then(({ child }) => child));
  const held = await heldBy(LOG_URL);
  const lost = [...acknowledgedMs].filter(([revision]) => !held.has(revision));
  return {
    acknowledged: acknowledgedMs.size,
    lost: lost.length,
    oldestLostMs: lost.reduce((oldest, [, atMs]) => Math.max(oldest, killedMs - atMs), 0),
  };
}

const beginMs = performance.now();
const rounds: Round[] = [];
const wanted = Number(process.argv[2] ?? ROUNDS);
while (rounds.length < wanted && performance.now() - beginMs < BEGIN_WITHIN_MS) {
  const stage = new Stage();
  try {
    const round = await runRound(stage);
    rounds.push(round);
    const { acknowledged, lost, oldestLostMs } = round;
    process.stderr.write(
      `${rounds.length}: ${acknowledged} acknowledged, ${lost} lost, oldest ${oldestLostMs.toFixed(1)} ms\n`,
    );
  } finally {
    await stage.stop();
  }
}
const total = (of: (round: Round) => number) => rounds.reduce((sum, round) => sum + of(round), 0);
const summary = {
  rounds: rounds.length,
  roundsWithLoss: rounds.filter(({ lost }) => lost > 0).length,
  acknowledged: total(({ acknowledged }) => acknowledged),
  lost: total(({ lost }) => lost),
  oldestLostMs: Math.max(0, ...rounds.map(({ oldestLostMs }) => oldestLostMs)),
};
process.stdout.write(`${JSON.stringify(summary)}\n`);
