/**
 * A disk that is slow to sync, for one redis-server: with `appendfsync everysec` Redis then puts the writing of its file
 * off, up to two seconds, and a killed server takes with it what it has acknowledged meanwhile. Takes a C compiler.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUpLater } from "./running.ts";

export interface SlowDisk {
  /** Starts a server on this disk, fast for now. What it starts later, at a restart, has a common disk again. */
  starting<T>(start: () => Promise<T>): Promise<T>;
  /** From now on no sync comes to an end. */
  slow(): void;
}

/** fdatasync that lasts for as long as a file named by the environment is there. */
const SOURCE = `
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int fdatasync(int fd) {
  const char *mark = getenv("MILLRACE_TEST_SLOW_DISK");
  struct timespec moment = {0, 5000000};
  while (mark && access(mark, F_OK) == 0) nanosleep(&moment, 0);
  return (int)syscall(SYS_fdatasync, fd);
}
`;

/** Null where nothing can be compiled, which is said on stderr. */
export function slowDisk(): SlowDisk | null {
  const dir = mkdtempSync(join(tmpdir(), "millrace-slow-"));
  const [source, library, mark] = ["disk.c", "disk.so", "mark"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(source, SOURCE);
  try {
    execFileSync("cc", ["-shared", "-fPIC", "-o", library, source], { stdio: "pipe" });
  } catch (error) {
    rmSync(dir, { recursive: true });
    process.stderr.write(`SKIPPED: no C compiler for a slow disk: ${(error as Error).message}\n`);
    return null;
  }
  cleanUpLater(() => rmSync(dir, { recursive: true, force: true }));
  return {
    starting: async (start) => {
      rmSync(mark, { force: true });
      // A server that a test starts has the environment of the test.
      Object.assign(process.env, { LD_PRELOAD: library, MILLRACE_TEST_SLOW_DISK: mark });
      try {
        return await start();
      } finally {
        delete process.env.LD_PRELOAD;
        delete process.env.MILLRACE_TEST_SLOW_DISK;
      }
    },
    slow: () => writeFileSync(mark, ""),
  };
}
