/**
 * Leaves no process behind, even when ours is killed with SIGKILL and runs no handler any more: a small process of its
 * own reads from a pipe which processes and folders are ours, and cleans up when the pipe closes, which the system does
 * for us however we die.
 */
import { spawn } from "node:child_process";

export interface Reaper {
  /** From now on this process is ended when we are gone. */
  watch(pid: number): void;
  /** This process has ended: its number may belong to somebody else soon. */
  forget(pid: number): void;
  /** From now on this folder is removed when we are gone. */
  watchFolder(path: string): void;
}

// SIGCONT first: a process that was paused does not see SIGTERM. Folders go last, and only after a SIGKILL.
const SCRIPT = `
$1 == "watch"  { pids[$2] = 1 }
$1 == "forget" { delete pids[$2] }
$1 == "folder" { folders[$2] = 1 }
END {
  for (pid in pids) system("kill -" signal " " pid " 2>/dev/null; kill -CONT " pid " 2>/dev/null")
  for (folder in folders) system("rm -rf -- '" folder "'")
}`;

/** `signal` is what the processes get: TERM for a clean end, KILL where only their absence matters. */
export function startReaper(signal: "TERM" | "KILL"): Reaper {
  // A session of its own, so that Ctrl-C in the terminal does not end it before us.
  const child = spawn("awk", ["-v", `signal=${signal}`, SCRIPT], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  // A pipe of Node is a socket that would keep the event loop alive.
  if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  const tell = (line: string): void => {
    child.stdin.write(`${line}\n`);
  };
  return {
    watch: (pid) => tell(`watch ${pid}`),
    forget: (pid) => tell(`forget ${pid}`),
    watchFolder: (path) => tell(`folder ${path}`),
  };
}
