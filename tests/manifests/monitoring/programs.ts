/** Runs the programs that will read what is checked here. Where one is missing, its tests are skipped and say so. */
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

export const root = join(import.meta.dirname, "../../..");

const run = promisify(execFile);
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

export interface Result {
  readonly ok: boolean;
  /** Both streams. */
  readonly said: string;
}

/** For `test.skipIf` and for its name: empty when the program is here. */
export function whereMissing(program: string): string {
  const missing = spawnSync("which", [program]).status !== 0;
  return missing ? ` (skipped: ${program} is not installed)` : "";
}

/** Runs it in infra/monitoring. Never throws for what it finds. */
export async function ask(program: string, ...args: readonly string[]): Promise<Result> {
  try {
    const { stdout, stderr } = await run(program, args, {
      cwd: join(root, "infra/monitoring"),
      maxBuffer: OUTPUT_MAX_BYTES,
    });
    return { ok: true, said: stdout + stderr };
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return { ok: false, said: `${stdout}${stderr}${String(error)}` };
  }
}
