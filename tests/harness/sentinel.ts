/** Plain Sentinels around a Redis of a test, where no failover is wanted: they only tell who is master. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "../../infra/local/child.ts";
import { findTestPort } from "./ports.ts";
import { cleanUpLater, testReaper } from "./running.ts";

export interface PlainSentinel {
  readonly port: number;
  /** SIGKILL. */
  kill(): Promise<void>;
}

const MASTER_NAME = "main";
/** Longer than any pause of a test: whoever is frozen for a moment stays master. */
const DOWN_AFTER_MS = 60_000;

/** A real Sentinel that watches one master under the name `main`. */
export async function startSentinel(master: { readonly port: number }): Promise<PlainSentinel> {
  const dir = await mkdtemp(join(tmpdir(), "millrace-sentinel-"));
  const port = await findTestPort();
  const file = join(dir, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${dir}`,
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} 2`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${DOWN_AFTER_MS}`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const child: Child = await startChild({ command: "redis-server", args: [file, "--sentinel"], reaper: testReaper() });
  const kill = async (): Promise<void> => {
    child.signal("SIGKILL");
    await child.exited;
  };
  cleanUpLater(async () => {
    await kill();
    await rm(dir, { recursive: true, force: true });
  });
  return { port, kill };
}

/** The URL of the master they watch, for a process of ours. */
export function sentinelUrl(ports: readonly number[]): string {
  return `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/${MASTER_NAME}`;
}
