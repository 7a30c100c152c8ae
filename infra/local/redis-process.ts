/**
 * A real redis-server with the configuration of infra/redis, on a loopback port. The local stack and the tests both
 * start their servers here.
 */
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../../core/redis/url.ts";
import { type Child, startChild } from "./child.ts";
import { findFreePort } from "./ports.ts";
import type { Reaper } from "./reaper.ts";
import { repoRoot } from "./repo-root.ts";

export type RedisKind = "log" | "store";

/** Where a server is, and as whom we talk to it ourselves where there are users. */
export interface Reach extends Address {
  readonly username?: string;
  readonly password?: string;
}

export interface RedisProcessOptions {
  kind: RedisKind;
  /** The data folder; it must exist. */
  dir: string;
  reaper: Reaper;
  /** 127.0.0.1 when left out. */
  host?: string;
  /** A free one when left out. */
  port?: number;
  /** More settings, as on the command line: `["--maxmemory", "100mb"]`. They win over the files. */
  args?: readonly string[];
  readyTimeoutMs?: number;
  /** Called as soon as the process is there, long before it answers when it has much to read. */
  onSpawn?: (child: Child) => void;
}

export interface RedisProcess {
  readonly port: number;
  readonly child: Child;
}

/** The configuration files and scripts, the same ones everywhere. */
export const redisFolder: string = join(repoRoot, "infra", "redis");

const READY_TIMEOUT_MS = 20_000;
const PING_TIMEOUT_MS = 500;
const PING_INTERVAL_MS = 15;
const PORT_ATTEMPTS = 5;

/** Starts the server and returns once it answers; throws with its last lines when it does not. */
export async function startRedisProcess(options: RedisProcessOptions): Promise<RedisProcess> {
  const host = options.host ?? "127.0.0.1";
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await findFreePort());
    const child = await startChild({
      command: "redis-server",
      args: redisArguments(options.kind, { host, port }, options.dir, options.args ?? []),
      reaper: options.reaper,
    });
    options.onSpawn?.(child);
    if (await answers(child, { host, port }, options.readyTimeoutMs ?? READY_TIMEOUT_MS)) return { port, child };
    await child.stop(0);
    const lines = child.lines();
    const taken = lines.some((line) => line.includes("Address already in use"));
    if (options.port !== undefined || !taken || attempt === PORT_ATTEMPTS) {
      throw new Error(`redis-server (${options.kind}) did not start on port ${port}:\n${lines.slice(-10).join("\n")}`);
    }
  }
}

/** The command line: what the files say, then what depends on the place (see infra/redis/common.conf). */
function redisArguments(kind: RedisKind, { host, port }: Address, dir: string, more: readonly string[]): string[] {
  return [
    ...["--include", join(redisFolder, "common.conf"), "--include", join(redisFolder, `${kind}.conf`)],
    ...["--bind", host, "--port", String(port), "--dir", dir],
    ...more,
  ];
}

/** Waits until this process, data node or Sentinel, answers there. False when it ends, or the time does, before. */
export async function answers(child: Child, address: Reach, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  const { username, password } = address;
  const login = username === undefined ? "" : `AUTH ${username} ${password}\r\n`;
  while (child.running && performance.now() < deadline) {
    const answer = await ask(address, `${login}INFO server\r\nPING\r\n`);
    // Whoever has the port must be this process. A replica without its master is up, too.
    if (answer.includes(`process_id:${child.pid}\r\n`) && /(\+PONG|-MASTERDOWN.*)\r\n$/.test(answer)) return true;
    await sleep(PING_INTERVAL_MS);
  }
  return false;
}

/** What the server says to this, up to a last line that is a status or an error; empty when it says nothing in time. */
function ask({ host, port }: Address, commands: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ host, port });
    const finish = (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PING_TIMEOUT_MS, finish);
    socket.once("error", finish);
    socket.once("close", finish);
    socket.once("connect", () => socket.write(commands));
    socket.on("data", (data) => {
      answer += data.toString("latin1");
      if (/\r\n[+-][^\r\n]*\r\n$/.test(answer)) finish();
    });
  });
}
