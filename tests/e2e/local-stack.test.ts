import { existsSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type Child, startChild } from "../../infra/local/child.ts";
import { isRunning } from "../../infra/local/process-list.ts";
import { findTestPort, findTestPorts } from "../harness/ports.ts";
import { cleanUpLater, testReaper } from "../harness/running.ts";
import { waitFor } from "../harness/wait-for.ts";

const STOP_GRACE_MS = 30_000;
let folder: string;
let port: number;
let opsPort: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-stack-"));
  testReaper().watchFolder(folder);
  port = await findTestPort();
  opsPort = await findTestPorts();
});

async function startStack(env: Record<string, string> = {}, args: readonly string[] = []): Promise<Child> {
  const stack = await startChild({
    command: process.execPath,
    args: ["dist/infra/local/start.js", ...args],
    reaper: testReaper(),
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      OPS_PORT: String(opsPort),
      MILLRACE_DATA: folder,
      MILLRACE_PARTITIONS: "4",
      ...env,
    },
  });
  cleanUpLater(async () => {
    await stack.stop(STOP_GRACE_MS);
  });
  return stack;
}

async function startReadyStack(...args: string[]): Promise<Child> {
  const stack = await startStack({}, args);
  await waitFor(() => stack.lines().includes("Millrace is ready.") || !stack.running, { timeoutMs: 45_000 });
  expect(stack.lines().join("\n")).toContain("Millrace is ready.");
  return stack;
}

async function childPids(within = "."): Promise<number[]> {
  const lock = JSON.parse(await readFile(join(folder, within, "lock"), "utf8")) as { children: { pid: number }[] };
  return lock.children.map(({ pid }) => pid);
}

/** One that has ended and that nobody has waited for is still in the system's list, but runs no command. */
const isAlive = (pid: number): Promise<boolean> => isRunning({ pid, command: " " });

describe("the local stack", () => {
  it("is ready within seconds, keeps what was written over a restart, and leaves nothing behind", async () => {
    const key = `http://127.0.0.1:${port}/v1/kv/demo/hello`;
    const first = await startReadyStack();
    const children = await childPids();
    expect(children).toHaveLength(5);
    const written = await fetch(key, { method: "PUT", body: "hello", headers: { prefer: "wait=5" } });
    expect([200, 201, 204]).toContain(written.status);
    first.signal("SIGINT");
    expect(await first.exited).toBe(0);
    expect(await Promise.all(children.map(isAlive))).not.toContain(true);

    const second = await startReadyStack();
    expect(await (await fetch(key)).text()).toBe("hello");
    expect(await second.stop(STOP_GRACE_MS)).toBe(0);
  });

  it("with --cluster has three masters each for log and store, which find each other again with all that was written", async () => {
    const keys = Array.from({ length: 20 }, (_, n) => `http://127.0.0.1:${port}/v1/kv/demo/key-${n}`);
    const first = await startReadyStack("--cluster");
    expect(await childPids("cluster")).toHaveLength(9);
    for (const key of keys) {
      const written = await fetch(key, { method: "PUT", body: key, headers: { prefer: "wait=5" } });
      expect(written.status).toBe(201);
    }
    expect(await first.stop(STOP_GRACE_MS)).toBe(0);
    const second = await startReadyStack("--cluster");
    for (const key of keys) expect(await (await fetch(key)).text()).toBe(key);
    expect(await second.stop(STOP_GRACE_MS)).toBe(0);
  });

  it("stops the api, then the consumers, and gives the folder back", async () => {
    const stack = await startReadyStack();
    await stack.stop(STOP_GRACE_MS);
    const lines = stack.lines();
    const apiStopped = lines.findIndex((line) => /^\[api\] .* stopped/.test(line));
    const consumerStopping = lines.findIndex((line) => /^\[consumer-\d\] .* stopping/.test(line));
    expect(apiStopped).toBeGreaterThan(0);
    expect(consumerStopping).toBeGreaterThan(apiStopped);
    expect(lines.at(-1)).toBe("stopped");
    expect(existsSync(join(folder, "lock"))).toBe(false);
  });

  it("starts a killed process again, and says so", async () => {
    const stack = await startReadyStack();
    for (const pid of await childPids()) process.kill(pid, "SIGKILL");
    await waitFor(() => stack.lines().filter((line) => line.includes("runs again")).length === 5);
    expect(await stack.stop(STOP_GRACE_MS)).toBe(0);
  });

  it("when it is killed itself, its processes end, and the next one takes the folder", async () => {
    const stack = await startReadyStack();
    const children = await childPids();
    stack.signal("SIGKILL");
    await waitFor(async () => !(await Promise.all(children.map(isAlive))).includes(true));
    await (await startReadyStack()).stop(STOP_GRACE_MS);
  });

  it("says which port is taken, and which folder is in use", async () => {
    await startReadyStack();
    const sameFolder = await startStack({ PORT: "1", OPS_PORT: "2" });
    expect(await sameFolder.exited).toBe(1);
    expect(sameFolder.lines()).toEqual([
      expect.stringMatching(/is in use by the stack with process id \d+: .*MILLRACE_DATA/),
    ]);
    const samePort = await startStack({ MILLRACE_DATA: join(folder, "other") });
    expect(await samePort.exited).toBe(1);
    expect(samePort.lines()).toEqual([expect.stringContaining(`port ${port} is taken`)]);
  });
});
