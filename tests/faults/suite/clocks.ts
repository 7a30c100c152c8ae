/** Clocks of the log's nodes that can be put wrong while they run. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { repoRoot } from "../../../infra/local/repo-root.ts";
import { cleanUpLater } from "../../harness/running.ts";

export interface SkewedClocks {
  /** What a node's process is started with. */
  environment(index: number): NodeJS.ProcessEnv;
  /** From now on this node's clock is wrong by so much. */
  set(index: number, milliseconds: number): Promise<void>;
}

const SOURCE = join(repoRoot, "tests/faults/suite/skew.c");
/** pread needs a file of fixed length: a shorter number over a longer one would leave its end. */
const WIDTH = 12;

/** Needs a C compiler. */
export async function startClocks(nodes: number): Promise<SkewedClocks> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-clocks-"));
  cleanUpLater(() => rm(folder, { recursive: true, force: true }));
  const library = join(folder, "skew.so");
  await promisify(execFile)("cc", ["-shared", "-fPIC", "-O2", "-o", library, SOURCE]);
  const fileOf = (index: number): string => join(folder, `node-${index}`);
  const set = (index: number, milliseconds: number): Promise<void> =>
    writeFile(fileOf(index), String(milliseconds).padStart(WIDTH), { flag: "r+" });
  for (let index = 0; index < nodes; index += 1) await writeFile(fileOf(index), "0".padStart(WIDTH));
  return {
    environment: (index) => ({ LD_PRELOAD: library, SKEW_FILE: fileOf(index) }),
    set,
  };
}
