/**
 * What one bench has started: a folder of its own and child processes. However the bench ends, every process is stopped
 * by its pid, the last started first, and the folder goes; the reaper sees to it if this process is killed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Child } from "../infra/local/child.ts";
import { startReaper } from "../infra/local/reaper.ts";

/** A child that has not gone this long after SIGTERM is killed. */
export const STOP_GRACE_MS = 5_000;

export class Stage {
  readonly dir = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  readonly reaper = startReaper("KILL");
  readonly #children: Child[] = [];
  #stopped = false;

  constructor() {
    this.reaper.watchFolder(this.dir);
  }

  /** Takes over a child that was started with this stage's reaper. @throws when the stage was stopped meanwhile. */
  async add(starting: Promise<Child>): Promise<Child> {
    const child = await starting;
    if (this.#stopped) {
      await child.stop(STOP_GRACE_MS);
      throw new Error("the bench was stopped");
    }
    this.#children.push(child);
    return child;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const child of [...this.#children].reverse()) await child.stop(STOP_GRACE_MS);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
