/** setup.sh on a machine that is made up: what it finds and what it calls is a folder of small programs, its only PATH. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { repoRoot } from "./repo-root.ts";

// Each starts dozens of small processes: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

const run = promisify(execFile);
const REAL = ["bash", "cat", "cut", "dirname", "env", "sed"];
/** They change a machine: here they only write down that they were called. */
const RECORDED = ["systemctl", "tee", "rm", "chmod", "brew"];
const PROGRAMS = { "redis-server": "redis-server", prometheus: "promtool", "prometheus-alertmanager": "amtool" };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-setup-"));
  for (const name of REAL) await symlink(await pathOf(name), join(folder, name));
  await symlink(process.execPath, join(folder, "node"));
  for (const name of RECORDED) await program(name, `echo "${name} $*" >>"$CALLS"`);
  await program("sudo", 'exec "$@"');
  await program("uname", "echo Linux");
});
afterEach(() => rm(folder, { recursive: true }));

async function pathOf(name: string): Promise<string> {
  const { stdout } = await run("/bin/sh", ["-c", `command -v ${name}`]);
  return stdout.trim();
}

async function program(name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
  await chmod(join(folder, name), 0o755);
}

const redisServer = (version: string) => program("redis-server", `echo "Redis server v=${version} sha=0"`);

/** A package manager that knows these packages. Installing one makes its program appear. */
async function debian(...packages: string[]): Promise<void> {
  const known = packages.join("|");
  const appear = Object.entries({ ...PROGRAMS, shellcheck: "shellcheck" })
    .map(([name, binary]) => `${name}) printf '#!/bin/sh\\necho "x v=7.0.15"\\n' >"${folder}/${binary}" ;;`)
    .join("\n");
  await program("apt-cache", `case "$2" in ${known}) ;; *) exit 100 ;; esac`);
  await program(
    "apt-get",
    `echo "apt-get $*" >>"$CALLS"
for name; do
  case $name in
  ${appear}
  esac
done
${await pathOf("chmod")} 755 "${folder}"/* 2>/dev/null || true`,
  );
}

async function setup(...args: string[]): Promise<{ code: number; output: string; calls: string[] }> {
  const calls = join(folder, "calls");
  await writeFile(calls, "");
  const env = { PATH: folder, CALLS: calls };
  const ended = await run("bash", [join(repoRoot, "infra/local/setup.sh"), ...args], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
  return { ...ended, calls: (await readFile(calls, "utf8")).split("\n").filter((line) => line !== "") };
}

const ALL = ["redis-server", "prometheus", "prometheus-alertmanager", "shellcheck"];

it("a machine that has everything is left alone, without a word", async () => {
  await redisServer("7.0.15");
  for (const name of ["promtool", "amtool", "shellcheck"]) await program(name, ":");
  await debian(...ALL);
  expect(await setup("--tests")).toEqual({ code: 0, output: "", calls: [] });
});

it("to run Millrace, Redis alone is installed, and no tool that only tests use", async () => {
  await debian(...ALL);
  const { code, calls } = await setup();
  expect(code).toBe(0);
  expect(calls.filter((call) => call.startsWith("apt-get"))).toEqual([
    "apt-get -qq update",
    "apt-get -qq install --yes --no-install-recommends redis-server",
  ]);
});

it("for the tests, all that is missing is installed in one go, and none of its services is left to start", async () => {
  await debian(...ALL);
  const { code, calls } = await setup("--tests");
  expect(code).toBe(0);
  expect(calls.filter((call) => call.startsWith("apt-get"))).toEqual([
    "apt-get -qq update",
    `apt-get -qq install --yes --no-install-recommends ${ALL.join(" ")}`,
  ]);
  expect(calls.filter((call) => call.startsWith("systemctl"))).toEqual(
    ALL.map((name) => `systemctl disable --now --quiet ${name}`),
  );
});

it("a tool that the machine's sources do not have keeps nothing else away, and is named", async () => {
  await debian("redis-server", "shellcheck");
  const { code, output, calls } = await setup("--tests");
  expect(code).toBe(0);
  expect(calls).toContain("apt-get -qq install --yes --no-install-recommends redis-server shellcheck");
  expect(output).toContain("promtool is missing, and could not be installed: the tests that need it are skipped");
  expect(output).toContain("amtool is missing");
});

it("a machine whose package manager is not known goes on without the tests' tools, but not without Redis", async () => {
  expect(await setup("--tests")).toMatchObject({ code: 1, output: expect.stringContaining("apk add redis") });
  await redisServer("7.0.15");
  expect(await setup("--tests")).toMatchObject({ code: 0, output: expect.stringContaining("shellcheck is missing") });
});

it("on macOS the packages have Homebrew's names", async () => {
  await program("uname", "echo Darwin");
  await redisServer("7.0.15");
  const { calls } = await setup("--tests");
  expect(calls).toEqual(["brew install --quiet prometheus alertmanager shellcheck"]);
});

it("a Redis without functions is refused", async () => {
  await redisServer("6.2.6");
  expect(await setup()).toMatchObject({ code: 1, output: expect.stringContaining("6.2.6 is too old") });
});

it("an option that is not known is refused, not ignored", async () => {
  await redisServer("7.0.15");
  expect(await setup("--test")).toMatchObject({ code: 1, output: expect.stringContaining("usage") });
});
