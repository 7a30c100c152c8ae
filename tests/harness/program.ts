/** A program of dist/ as a process of its own, run to its end. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { repoRoot } from "../../infra/local/repo-root.ts";
import { cleanUpLater, testReaper } from "./running.ts";

export interface Ended {
  /** Null: a signal has ended it. */
  readonly code: number | null;
  /** What it wrote to both streams, as it came. */
  readonly output: string;
}

/** @param file from the root of the repository */
export async function runProgram(file: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(repoRoot, file), ...args], { stdio: ["ignore", "pipe", "pipe"] });
  testReaper().watch(child.pid ?? 0);
  cleanUpLater(() => void child.kill("SIGTERM"));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += String(chunk);
    });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  testReaper().forget(child.pid ?? 0);
  return { code, output };
}
