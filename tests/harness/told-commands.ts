/** Commands of a page, run by a shell as they stand there, where `kubectl` is a function of the test. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { repoRoot } from "../../infra/local/repo-root.ts";
import { cleanUpLater } from "./running.ts";

/** What it is called with, and its standard input. @returns what it prints: one line, or nothing */
export type Kubectl = (command: string, input: string) => Promise<string>;

/** A line for each call goes out by 3, a line with what it prints comes back by 4. */
const STAND_IN = `kubectl() { printf '%s\\t%s\\n' "$*" "$(cat)" >&3; IFS= read -r printed <&4; printf '%s' "$printed"; }`;

/** The first block of commands below this heading. */
export async function commandsOf(page: string, heading: string): Promise<string> {
  const text = await readFile(join(repoRoot, page), "utf8");
  const [, below = ""] = text.split(`\n## ${heading}\n`);
  const [, commands] = /^```sh\n(.*?)^```$/ms.exec(below) ?? [];
  if (commands === undefined) throw new Error(`${page} has no commands below "${heading}"`);
  return commands;
}

/** Rejects when one of them fails, or the stand-in does. */
export async function runCommands(commands: string, kubectl: Kubectl): Promise<void> {
  const shell = spawn("sh", ["-euc", `${STAND_IN}\n${commands}`], {
    stdio: ["ignore", "ignore", "inherit", "pipe", "pipe"],
  });
  cleanUpLater(() => void shell.kill("SIGKILL"));
  const ended = new Promise<number | null>((resolve) => shell.once("close", resolve));
  const [, , , calls, prints] = shell.stdio as [null, null, null, Readable, Writable];
  for await (const call of createInterface({ input: calls })) {
    const [command = "", input = ""] = call.split("\t");
    prints.write(`${await kubectl(command, input)}\n`);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`the commands ended with ${code}`);
}
