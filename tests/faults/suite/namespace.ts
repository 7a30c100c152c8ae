/**
 * A network and a mount table of our own, where the system lets us: links can then be cut and disks be filled without
 * anybody else noticing, and all of it is gone with the process.
 *
 * Links are cut by routing rules: this works on established connections, in both directions, without any packet filter.
 */
import { execFile, spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

const INSIDE = "MILLRACE_FAULTS_NAMESPACE";
/** The system's rule for local addresses comes before all others: ours can only work when it stands behind them. */
const LOCAL_RULE = "1000";
const FIRST_RULE = 10;

export const isInside = (): boolean => process.env[INSIDE] !== undefined;

/**
 * Runs this very program again inside, and returns its exit code; null when it should go on here: it is inside already,
 * or the right is missing.
 */
export async function runInside(): Promise<number | null> {
  if (isInside()) {
    await run("ip", ["link", "set", "lo", "up"]);
    await run("ip", ["rule", "add", "pref", LOCAL_RULE, "lookup", "local"]);
    await run("ip", ["rule", "del", "pref", "0"]);
    return null;
  }
  const ways = [
    ["--net", "--mount"],
    ["--map-root-user", "--net", "--mount"],
  ];
  const way = ways.find((flags) => spawnSync("unshare", [...flags, "ip", "rule", "show"]).status === 0);
  if (way === undefined) return null;
  const child = spawn("unshare", [...way, process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: "1" },
  });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, pass);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

let nextRule = FIRST_RULE;

/** Packets from these addresses to those are lost from now on, without a word. @returns how to undo it, once */
export async function cutOneWay(from: readonly string[], to: readonly string[]): Promise<() => Promise<void>> {
  const rules: string[] = [];
  for (const source of from) {
    for (const target of to) {
      if (source === target) continue;
      const rule = String(nextRule);
      nextRule += 1;
      await run("ip", ["rule", "add", "pref", rule, "from", source, "to", target, "blackhole"]);
      rules.push(rule);
    }
  }
  return async () => {
    for (const rule of rules.splice(0)) await run("ip", ["rule", "del", "pref", rule]);
    if (nextRule > Number(LOCAL_RULE) - 100) nextRule = FIRST_RULE;
  };
}

export async function cutBothWays(side: readonly string[], other: readonly string[]): Promise<() => Promise<void>> {
  const undo = [await cutOneWay(side, other), await cutOneWay(other, side)];
  return async () => {
    for (const one of undo) await one();
  };
}
