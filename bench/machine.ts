/**
 * The machine a figure was taken on: without it a figure says nothing.
 */
import { execFileSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  /** Of the minute before the bench: well above 0 means that others worked here too and the figures are noisy. */
  readonly loadBefore: number;
  readonly node: string;
  readonly redis: string;
}

/** @throws an error that says how to install redis-server, when it cannot be run. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    loadBefore: loadavg()[0] ?? 0,
    node: process.version,
    redis: redisVersion(),
  };
}

function redisVersion(): string {
  try {
    return /v=(\S+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))?.[1] ?? "unknown";
  } catch (cause) {
    const install = "sudo apt-get install redis-server (macOS: brew install redis)";
    throw new Error(`redis-server is not on PATH. Install it: ${install}`, { cause });
  }
}
