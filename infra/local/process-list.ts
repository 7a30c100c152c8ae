/** What the system says about processes that we have only the number of. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** A process and a part of its command line: numbers are used again, so the number alone does not tell one. */
export interface KnownProcess {
  pid: number;
  command: string;
}

const POLL_INTERVAL_MS = 50;

export async function isRunning({ pid, command }: KnownProcess): Promise<boolean> {
  return (await commandLine(pid)).includes(command);
}

/** SIGTERM, and SIGKILL after `graceMs`. Returns when it is gone; at once when it was. */
export async function endProcess(known: KnownProcess, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs;
  if (!(await isRunning(known))) return;
  send(known.pid, "SIGTERM");
  while (await isRunning(known)) {
    if (performance.now() > deadline) send(known.pid, "SIGKILL");
    await sleep(POLL_INTERVAL_MS);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself meanwhile.
  }
}

/** Empty when there is no such process. */
async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === "linux") {
      return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
    }
    return (await promisify(execFile)("ps", ["-o", "command=", "-p", String(pid)])).stdout;
  } catch {
    return "";
  }
}
