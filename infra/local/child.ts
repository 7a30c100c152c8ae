/** One process that we started: its output line by line, its end, and how to stop it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Reaper } from "./reaper.ts";
import { repoRoot } from "./repo-root.ts";

export interface ChildOptions {
  command: string;
  args: readonly string[];
  reaper: Reaper;
  env?: NodeJS.ProcessEnv;
  /** Where it runs: the root of the repository, when not said. */
  cwd?: string;
  /** Stopping sends SIGTERM again this often, to a program that may pass one over. */
  repeatTermMs?: number;
  /** Called for each line of stdout and stderr, as it comes. */
  onLine?: (line: string) => void;
}

export interface Child {
  readonly pid: number;
  readonly running: boolean;
  /** The exit code, or null when a signal ended it. Never rejects. */
  readonly exited: Promise<number | null>;
  /** Every line so far, the oldest dropped above a bound. */
  lines(): readonly string[];
  /** Does nothing when the process has ended. */
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL to what is still there after `graceMs`. Wakes it first if it was paused. */
  stop(graceMs: number): Promise<number | null>;
}

const LINES_KEPT = 20_000;

/** Starts a process. Throws when the program itself cannot be started. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = spawn(options.command, options.args, {
    cwd: options.cwd ?? repoRoot,
    env: options.env,
    stdio: ["ignore", "pipe", "pipe"],
    // Its own process group: Ctrl-C reaches only us, and we stop the processes in order.
    detached: true,
  });
  const lines: string[] = [];
  const take = (line: string): void => {
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
    options.onLine?.(line);
  };
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on("line", take);

  let running = true;
  // "close" and not "exit": only then has all output been read.
  const exited = new Promise<number | null>((resolve) => {
    child.once("close", (code) => resolve(code));
  });
  child.once("exit", () => {
    running = false;
    if (child.pid !== undefined) options.reaper.forget(child.pid);
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(child.pid ?? 0));
  });
  if (running) options.reaper.watch(pid);

  const signal = (name: NodeJS.Signals): void => {
    if (running) child.kill(name);
  };
  return {
    pid,
    get running() {
      return running;
    },
    exited,
    lines: () => lines,
    signal,
    stop: async (graceMs) => {
      signal("SIGTERM");
      signal("SIGCONT");
      const { repeatTermMs } = options;
      const again = repeatTermMs === undefined ? undefined : setInterval(() => signal("SIGTERM"), repeatTermMs);
      const timer = setTimeout(() => signal("SIGKILL"), graceMs);
      const code = await exited;
      clearInterval(again);
      clearTimeout(timer);
      return code;
    },
  };
}
