/** A real redis-server for a test: own port, own folder, and every way of dying at hand. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RedisKind, type RedisProcess, startRedisProcess } from "../../infra/local/redis-process.ts";
import { findTestPort } from "./ports.ts";
import { cleanUpLater, testReaper } from "./running.ts";

export interface RedisOptions {
  kind?: RedisKind;
  port?: number;
  dir?: string;
  /** More settings, as on the command line: `["--maxmemory", "100mb"]`. Kept over restarts. */
  args?: readonly string[];
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly dir: string;
  /** Of the process that runs now; another one after a restart. */
  readonly pid: number;
  readonly running: boolean;
  /** The server's own output, of the process that runs now. */
  logs(): readonly string[];
  /** SIGTERM: the append-only file is written out first. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing is answered. */
  pause(): void;
  resume(): void;
  /** Ends it if it runs, and starts it on the same port with the same folder. `args` replace the earlier ones. */
  restart(args?: readonly string[]): Promise<void>;
  /** Comes back empty on the same port, as after the loss of a disk. */
  wipe(): Promise<void>;
}

const STOP_GRACE_MS = 10_000;

/** Starts a server and returns once it answers PING. It is gone, with its folder, at the end of the test file. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const reaper = testReaper();
  const { kind = "log" } = options;
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), `millrace-${kind}-`)));
  if (options.dir === undefined) reaper.watchFolder(dir);
  let args = options.args ?? [];

  const port = options.port ?? (await findTestPort());
  const start = (): Promise<RedisProcess> => startRedisProcess({ kind, dir, reaper, args, port });
  let current = await start();

  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    dir,
    get pid() {
      return current.child.pid;
    },
    get running() {
      return current.child.running;
    },
    logs: () => current.child.lines(),
    stop: async () => {
      await current.child.stop(STOP_GRACE_MS);
    },
    kill: async () => {
      current.child.signal("SIGKILL");
      await current.child.exited;
    },
    pause: () => current.child.signal("SIGSTOP"),
    resume: () => current.child.signal("SIGCONT"),
    restart: async (newArgs) => {
      await server.stop();
      args = newArgs ?? args;
      current = await start();
    },
    wipe: async () => {
      await server.kill();
      for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true });
      current = await start();
    },
  };
  cleanUpLater(async () => {
    await server.kill();
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  });
  return server;
}
