/**
 * Shows that the suite finds damage: takes one safety mechanism after the other out of a copy of the built tree, runs the
 * suite from there with the fault that then does harm, and expects violations. `--only R1,pcall` runs some of them.
 *
 * Exit code 0: every one was found out. 1: one was not. 2: a text to be replaced is not there exactly once.
 */
import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { repoRoot } from "../../../infra/local/repo-root.ts";
import { MUTATIONS, type Mutation } from "./mutation-list.ts";
import type { RunResult } from "./run.ts";
import type { Kind } from "./violations.ts";

/** What a run of the suite needs of the repository. */
const COPIED = ["dist", "infra/redis", "package.json", "tests/faults/suite/skew.c"];
const RUN_MAX_MS = 300_000;
const KEPT_LINES = 12;

interface Outcome {
  readonly mutation: Mutation;
  readonly found: Partial<Record<Kind, number>>;
  readonly detected: boolean;
  readonly seconds: number;
  readonly lastLines: readonly string[];
}

const run = promisify(execFile);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function makeMutant({ name, changes }: Mutation): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `millrace-mutant-${name}-`));
  for (const path of COPIED) await cp(join(repoRoot, path), join(folder, path), { recursive: true });
  await symlink(join(repoRoot, "node_modules"), join(folder, "node_modules"));
  for (const { file, text, by } of changes) {
    const path = join(folder, file);
    const before = await readFile(path, "utf8");
    const parts = before.split(text);
    if (parts.length !== 2) {
      throw new Error(`${name}: this text stands ${parts.length - 1} times in ${file}, not once:\n${text}`);
    }
    await writeFile(path, parts.join(by));
  }
  await run(process.execPath, [join(repoRoot, "infra/pack.mjs"), join(folder, "dist")]);
  return folder;
}

async function runMutant(mutation: Mutation, folder: string, seed: string): Promise<Outcome> {
  const out = join(folder, "result.json");
  const startMs = performance.now();
  const program = join(folder, "dist/tests/faults/suite/main.js");
  const args = ["--nemesis", mutation.nemeses, "--seed", seed, "--until-violation", "--out", out];
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
    // Also what the run keeps as evidence goes with the mutant.
    env: { ...process.env, TMPDIR: folder },
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const timer = setTimeout(() => child.kill("SIGTERM"), RUN_MAX_MS);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  const result = await readFile(out, "utf8").then(
    (json) => JSON.parse(json) as RunResult,
    () => null,
  );
  const found = result?.violations ?? {};
  return {
    mutation,
    found,
    detected: code === 1 && mutation.expects.some((kind) => (found[kind] ?? 0) > 0),
    seconds: Math.round((performance.now() - startMs) / 1000),
    lastLines: text.trimEnd().split("\n").slice(-KEPT_LINES),
  };
}

function render(outcomes: readonly Outcome[]): string {
  const lines = outcomes.map(({ mutation, found, detected, seconds }) => {
    const kinds = Object.entries(found).map(([kind, count]) => `${kind} ${count}`);
    const what = kinds.length > 0 ? kinds.join(", ") : "nothing";
    return `| ${mutation.name} | ${mutation.removes} | ${detected ? "found out" : "NOT FOUND OUT"} | ${what} | ${seconds} s |`;
  });
  return ["| mechanism | without it | | violations | took |", "|---|---|---|---|---|", ...lines].join("\n");
}

const { values } = parseArgs({
  options: { only: { type: "string" }, seed: { type: "string", default: "1" } },
});
const wanted = values.only?.split(",");
const chosen = MUTATIONS.filter(({ name }) => wanted === undefined || wanted.includes(name));
try {
  // All of them are made before the first one runs: a text that is gone is told at once.
  const mutants: (readonly [Mutation, string])[] = [];
  for (const mutation of chosen) mutants.push([mutation, await makeMutant(mutation)]);
  const outcomes: Outcome[] = [];
  for (const [mutation, folder] of mutants) {
    say(`without ${mutation.name}: ${mutation.removes}`);
    const outcome = await runMutant(mutation, folder, values.seed);
    outcomes.push(outcome);
    if (!outcome.detected) say(outcome.lastLines.join("\n"));
    say(`    ${outcome.detected ? "found out" : "NOT FOUND OUT"}: ${JSON.stringify(outcome.found)}`);
    await rm(folder, { recursive: true, force: true });
  }
  say(`\n${render(outcomes)}`);
  process.exitCode = outcomes.length > 0 && outcomes.every(({ detected }) => detected) ? 0 : 1;
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
