/** A disk of a few megabytes that a server can fill: a tmpfs of its own, which takes root. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUpLater } from "./running.ts";

export interface SmallDisk {
  readonly dir: string;
  /** More room from now on; what is on it stays. */
  grow(megabytes: number): void;
}

/** Mounts it, until the end of the test file; null where that is not allowed, which is said on stderr. */
export function mountSmallDisk(megabytes: number): SmallDisk | null {
  const dir = mkdtempSync(join(tmpdir(), "millrace-disk-"));
  const mount = (...args: string[]) => execFileSync("mount", [...args, dir], { stdio: "pipe" });
  try {
    mount("-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs");
  } catch (error) {
    rmdirSync(dir);
    process.stderr.write(`SKIPPED: no small disk can be mounted here: ${(error as Error).message}\n`);
    return null;
  }
  cleanUpLater(() => {
    execFileSync("umount", ["--lazy", dir], { stdio: "pipe" });
    rmdirSync(dir);
  });
  return { dir, grow: (more) => void mount("-o", `remount,size=${more}m`) };
}
