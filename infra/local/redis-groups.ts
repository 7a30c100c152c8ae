/**
 * The processes of two Sentinel groups, log and store: started by the scripts of infra/redis, as in compose and in a
 * cluster. The local high-availability stack and the tests both start theirs here.
 */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatAddress } from "../../core/redis/sentinel-view.ts";
import { type Child, startChild } from "./child.ts";
import type { Reaper } from "./reaper.ts";
import { answers, type Reach, type RedisKind, redisFolder } from "./redis-process.ts";

export interface GroupsPlan {
  /** Data nodes; the first of each group is the master of the very first start. */
  readonly nodes: Readonly<Record<RedisKind, readonly Reach[]>>;
  /** They watch both groups. */
  readonly sentinels: readonly Reach[];
  readonly downAfterMs: number;
  /** More environment, for all scripts: REDIS_USERS, … */
  readonly env?: NodeJS.ProcessEnv;
}

/** One data node of a plan. */
export interface NodePlace {
  readonly plan: GroupsPlan;
  readonly kind: RedisKind;
  readonly address: Reach;
}

export interface StartOptions {
  /** The data folder; it must exist. */
  dir: string;
  reaper: Reaper;
  /** More settings, as on the command line. They win over the files. */
  args?: readonly string[];
  /** More environment. */
  env?: NodeJS.ProcessEnv;
  /** Called as soon as the process is there, long before it answers when the guard has it wait. */
  onSpawn?: (child: Child) => void;
  readyTimeoutMs: number;
}

const QUORUM = 2;
const STOP_GRACE_MS = 5_000;
const READY_INTERVAL_MS = 1_000;
/** While a node is not ready it is looked at more often: the sooner it may be promoted. */
const UNREADY_INTERVAL_MS = 200;
/** A replica that writes its first file after a full sync refuses to exit, and would have to be killed with half of it. */
const REPEAT_TERM_MS = 250;
const SCRIPT_TIMEOUT_MS = 90_000;

/** How the services are told of a group. */
export function groupUrl(plan: GroupsPlan, kind: RedisKind): string {
  return `redis+sentinel://${plan.sentinels.map(formatAddress).join(",")}/${kind}`;
}

/**
 * Starts a data node through the guard and returns once it answers and its role is known. Throws with its last lines when
 * the guard refuses, or has it wait for longer than the time given.
 */
export async function startNode(place: NodePlace, options: StartOptions): Promise<Child> {
  // The port stands on the command line, too: it tells the process in a list, before and after the guard.
  const args = ["--port", String(place.address.port), ...(options.args ?? [])];
  const env = { ...nodeEnvironment(place), REDIS_DIR: options.dir, ...options.env };
  const child = await startScript("start-node.sh", args, env, place.address, options);
  void keepReadiness(place, child);
  return child;
}

/** Starts a Sentinel and returns once it answers. */
export function startSentinel(plan: GroupsPlan, address: Reach, options: StartOptions): Promise<Child> {
  const { nodes, downAfterMs } = plan;
  const first = (kind: RedisKind): string => `${kind}=${nodes[kind].slice(0, 1).map(formatAddress).join()}`;
  const env = {
    SENTINEL_HOST: address.host,
    SENTINEL_PORT: String(address.port),
    SENTINEL_BIND: address.host,
    SENTINEL_DIR: options.dir,
    SENTINEL_MONITOR: `${first("log")} ${first("store")}`,
    SENTINEL_QUORUM: String(Math.min(QUORUM, plan.sentinels.length)),
    SENTINEL_DOWN_AFTER_MS: String(downAfterMs),
    ...plan.env,
    ...options.env,
  };
  return startScript("start-sentinel.sh", options.args ?? [], env, address, options);
}

/** Moves the master away from this node as a preStop hook does. False when it has given up, and says why. */
export async function moveMaster(place: NodePlace): Promise<{ moved: boolean; said: string }> {
  const { ok, said } = await runScript("move-master.sh", nodeEnvironment(place));
  return { moved: ok, said };
}

/**
 * Looks every second whether the node is ready, as a readiness probe does, for as long as the process runs: a node that
 * is in sync may be promoted from then on.
 */
export async function keepReadiness(place: NodePlace, child: Child): Promise<void> {
  while (child.running) {
    const { ok } = await runScript("node-ready.sh", nodeEnvironment(place));
    await sleep(ok ? READY_INTERVAL_MS : UNREADY_INTERVAL_MS, undefined, { ref: false });
  }
}

/** Waits until the node is the master or has all that its master has. Throws when the time is over before. */
export async function waitUntilInSync(place: NodePlace, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await runScript("node-ready.sh", nodeEnvironment(place))).ok) {
    if (performance.now() > deadline) {
      throw new Error(`${formatAddress(place.address)} of ${place.kind} is not in sync after ${timeoutMs} ms`);
    }
    await sleep(UNREADY_INTERVAL_MS);
  }
}

function nodeEnvironment({ plan, kind, address }: NodePlace): NodeJS.ProcessEnv {
  return {
    REDIS_KIND: kind,
    REDIS_HOST: address.host,
    REDIS_PORT: String(address.port),
    REDIS_BIND: address.host,
    SENTINELS: plan.sentinels.map(formatAddress).join(),
    ...plan.env,
  };
}

/** Through `env`, so that what it says comes on top of the environment that we have ourselves. */
function scriptCommand(script: string, args: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return [...settings, "sh", join(redisFolder, script), ...args];
}

async function startScript(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  address: Reach,
  { reaper, onSpawn, readyTimeoutMs }: StartOptions,
): Promise<Child> {
  const child = await startChild({
    command: "env",
    args: scriptCommand(script, args, env),
    reaper,
    repeatTermMs: REPEAT_TERM_MS,
  });
  onSpawn?.(child);
  if (await answers(child, address, readyTimeoutMs)) return child;
  const why = child.running ? `does not answer after ${readyTimeoutMs} ms` : "has ended";
  await child.stop(STOP_GRACE_MS);
  throw new Error(`${formatAddress(address)} ${why}; its last lines:\n${child.lines().slice(-10).join("\n")}`);
}

function runScript(script: string, env: NodeJS.ProcessEnv): Promise<{ ok: boolean; said: string }> {
  return new Promise((resolve) => {
    execFile("env", scriptCommand(script, [], env), { timeout: SCRIPT_TIMEOUT_MS }, (error, _stdout, stderr) =>
      resolve({ ok: error === null, said: stderr.trim() }),
    );
  });
}
