/**
 * Load by wrk, which is C and a process of its own: one thread keeps a Node server busy and leaves the other core to it.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { runLoad, startLoad } from "./load-process.ts";
import type { Stage } from "./stage.ts";

const CONNECTIONS = 64;
const ARGUMENTS_END = "--";
/** For wrk to start and to report, beyond the time of its load. */
const MARGIN_SECONDS = 10;

/** The scripts are not compiled: from dist/bench/ the way leads back to the source folder. */
function scriptPath(name: string): string {
  return fileURLToPath(new URL(`../../bench/load/${name}.lua`, import.meta.url));
}

/** @throws an error that says how to install wrk, when it cannot be run. */
export async function requireWrk(): Promise<void> {
  // wrk -v prints its version and exits with 1: only a program that is not there has no output.
  const version = await new Promise<string>((resolve) => {
    execFile("wrk", ["-v"], { timeout: 5_000 }, (_error, stdout) => resolve(stdout));
  });
  if (version.startsWith("wrk")) return;
  const install = "sudo apt-get install wrk (macOS: brew install wrk)";
  throw new Error(`the load generator wrk is not on PATH. Install it: ${install}`);
}

/** PUTs 100-byte values to `url` + an eight-digit number, each number once, for so many seconds. Gives answers per second. */
export async function putRate(
  stage: Stage,
  url: string,
  seconds: number,
  firstKey: number,
  keyRange: number,
): Promise<number> {
  return parseWrk(await load(stage, "put", url, seconds, [firstKey, keyRange, 0])).perSecond;
}

/** A load that can be held. */
export interface Load {
  resume(): void;
  pause(): void;
  /** Gives how many answers it got in all. @throws when any was not good */
  end(): Promise<number>;
}

/** PUTs as {@link putRate} does, held from the beginning; it ends by itself after so many seconds. */
export async function startPuts(
  stage: Stage,
  url: string,
  withinSeconds: number,
  firstKey: number,
  keyRange: number,
): Promise<Load> {
  const child = await startLoad(stage, "wrk", wrkArguments("put", url, withinSeconds, [firstKey, keyRange, 0]));
  child.signal("SIGSTOP");
  return {
    resume: () => child.signal("SIGCONT"),
    pause: () => child.signal("SIGSTOP"),
    end: async () => {
      child.signal("SIGINT");
      child.signal("SIGCONT");
      await child.exited;
      return parseWrk(child.lines().join("\n")).answers;
    },
  };
}

/**
 * PUTs `keys` keys, every one at least once; the last requests, at most two per connection, write the first keys again.
 * Gives how many were answered: the server may have accepted up to one more per connection.
 */
export async function putKeys(
  stage: Stage,
  url: string,
  firstKey: number,
  keys: number,
  withinSeconds: number,
): Promise<number> {
  const output = await load(stage, "put", url, withinSeconds, [firstKey, keys, keys + CONNECTIONS]);
  const counts = /^put (\d+) keys, (\d+) refused$/m.exec(output);
  // Without this line wrk came to the end of its time first.
  if (counts === null) throw new Error(`${keys} PUTs were not answered within ${withinSeconds} s:\n${output}`);
  if (Number(counts[2]) > 0) throw new Error(`${counts[2]} of ${counts[1]} PUTs were refused`);
  return Number(counts[1]);
}

/** GETs the keys 0 to `keys` - 1 for so many seconds. Gives answers per second. */
export async function getRate(stage: Stage, url: string, seconds: number, keys: number): Promise<number> {
  return parseWrk(await load(stage, "get", url, seconds, [keys])).perSecond;
}

function load(
  stage: Stage,
  script: "put" | "get",
  url: string,
  seconds: number,
  args: readonly number[],
): Promise<string> {
  return runLoad(stage, "wrk", wrkArguments(script, url, seconds, args), (seconds + MARGIN_SECONDS) * 1_000);
}

function wrkArguments(script: "put" | "get", url: string, seconds: number, args: readonly number[]): string[] {
  const options = ["-t", "1", "-c", String(CONNECTIONS), "-d", `${seconds}s`, "-s", scriptPath(script)];
  return [...options, url, ARGUMENTS_END, ...args.map(String)];
}

/** @throws when any answer was not a 2xx or 3xx, or any connection failed: such a rate says nothing. */
export function parseWrk(output: string): { perSecond: number; answers: number } {
  const trouble = /^\s*(Non-2xx or 3xx responses|Socket errors): .*$/m.exec(output);
  if (trouble !== null) throw new Error(`the answers were not all good: ${trouble[0].trim()}`);
  const perSecond = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(output)?.[1]);
  const answers = Number(/^\s*(\d+) requests in /m.exec(output)?.[1]);
  if (!(perSecond > 0 && answers > 0)) throw new Error(`wrk reported no rate:\n${output}`);
  return { perSecond, answers };
}
