/** How much memory a process has. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Resident set size, in MiB. */
export async function residentMib({ pid }: { readonly pid: number }): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(stdout.trim()) / 1024;
}
