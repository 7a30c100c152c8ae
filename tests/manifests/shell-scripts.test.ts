import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { repoRoot } from "../../infra/local/repo-root.ts";

const LEFT_OUT = new Set(["node_modules", "dist", "coverage", ".git", ".millrace"]);
const shellcheck = spawnSync("shellcheck", ["--version"]).status === 0;

function scriptsBelow(folder: string): string[] {
  return readdirSync(join(repoRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : scriptsBelow(path);
    return entry.isFile() && isScript(path) ? [path] : [];
  });
}

/** By its name, or by its first line. */
function isScript(path: string): boolean {
  if (path.endsWith(".sh")) return true;
  if (/\.\w+$/.test(path)) return false;
  const start = Buffer.alloc(64);
  const file = openSync(join(repoRoot, path), "r");
  readSync(file, start, 0, start.length, 0);
  closeSync(file);
  return /^#!.*\b(ba|da|k)?sh\b/.test(start.toString());
}

const scripts = scriptsBelow("");
const check = (args: readonly string[], input?: string) =>
  spawnSync("shellcheck", ["--external-sources", ...args], { cwd: repoRoot, encoding: "utf8", input });

it("scripts are found by their name and by their first line", () => {
  expect(scripts).toEqual(expect.arrayContaining(["infra/redis/start-node.sh", "infra/local/setup.sh", ".ci/run"]));
});

const title = (name: string) => (shellcheck ? name : `${name} (NOT CHECKED: shellcheck is missing here)`);

it.skipIf(!shellcheck)(title("shellcheck has nothing to say of any script"), { timeout: 120_000 }, () => {
  const { status, stdout, stderr } = check(scripts);
  expect([stdout + stderr, status]).toEqual(["", 0]);
});

it.skipIf(!shellcheck)(title("it would: an unquoted variable is a fault"), { timeout: 60_000 }, () => {
  expect(check(["-"], "#!/bin/sh\nrm $1\n").stdout).toContain("SC2086");
});
