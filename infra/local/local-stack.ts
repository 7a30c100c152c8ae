/**
 * Millrace on one machine: a log and a store, one API and its consumers, each a process of its own as in a cluster.
 * Started from the bottom up and stopped from the top down, so that nobody loses what it stands on.
 */
import type { Child } from "./child.ts";
import type { LocalConfig } from "./config.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { readableLine } from "./log-lines.ts";
import { checkPorts } from "./ports.ts";
import type { KnownProcess } from "./process-list.ts";
import type { Reaper } from "./reaper.ts";
import { type RedisKind, startRedisProcess } from "./redis-process.ts";
import { type ServiceKind, serviceProgram, startServiceProcess, waitUntilReady } from "./service-process.ts";
import { type Supervisor, type SupervisorOptions, superviseProcess } from "./supervisor.ts";

export interface LocalStackOptions {
  config: LocalConfig;
  /** Passed on to the API and the consumers. */
  environment: NodeJS.ProcessEnv;
  reaper: Reaper;
  /** A part of the command line of this process, for the lock of the data folder. */
  program: string;
  say: (line: string) => void;
}

export interface LocalUrls {
  api: string;
  ops: readonly string[];
  log: string;
  store: string;
}

/** A service gets this long to finish what it has in flight, more than it gives itself; a server, to write its file. */
const STOP_GRACE_MS = 20_000;

/**
 * This log has no replicas: what it has accepted is safe only on the disk. Each write is therefore synced before it is
 * answered, all of one event-loop turn at once. The store can be rebuilt from the log.
 */
const SERVER_ARGS: Record<RedisKind, readonly string[]> = { log: ["--appendfsync", "always"], store: [] };
const READY_TIMEOUT_MS = 60_000;

export class LocalStack {
  readonly #options: LocalStackOptions;
  /** In the order in which they are stopped. */
  readonly #tiers: Record<ServiceKind | "redis", Supervisor[]> = { api: [], consumer: [], redis: [] };
  readonly #processes = new Map<string, KnownProcess>();
  #folder: DataFolder | undefined;
  #starting: Promise<LocalUrls> | undefined;
  #stopping = false;

  constructor(options: LocalStackOptions) {
    this.#options = options;
  }

  /** Returns when every process is ready. Throws an error to be shown as it is; then `stop` ends what has started. */
  start(): Promise<LocalUrls> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Can be called at any time, also while it starts. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const tier of Object.values(this.#tiers)) await Promise.all(tier.map((one) => one.stop(STOP_GRACE_MS)));
    await this.#starting?.catch(() => undefined);
    await this.#folder?.release();
  }

  /** At once and in no order: what was acknowledged is in the log's file all the same. */
  kill(): void {
    this.#stopping = true;
    for (const one of Object.values(this.#tiers).flat()) one.kill();
  }

  async #start(): Promise<LocalUrls> {
    const { config, program, say } = this.#options;
    // First, because it ends what a killed stack has left on the ports.
    const owner = { pid: process.pid, command: program };
    this.#folder = await openDataFolder(config.dataFolder, owner, say);
    const opsPorts = [config.opsPort, ...config.consumerOpsPorts];
    await checkPorts([
      { port: config.port, variable: "PORT" },
      ...opsPorts.map((port) => ({ port, variable: "OPS_PORT" })),
    ]);
    const [log, store] = await Promise.all([
      this.#startRedis("log", this.#folder.dir("log")),
      this.#startRedis("store", this.#folder.dir("store")),
    ]);
    const urls = { LOG_URL: log, STORE_URL: store, MILLRACE_OPS_HOST: "127.0.0.1" };
    const ops = await Promise.all([
      this.#startService("api", "api", config.opsPort, { ...urls, PORT: String(config.port) }),
      ...config.consumerOpsPorts.map((port, index) =>
        this.#startService("consumer", `consumer-${index + 1}`, port, urls),
      ),
    ]);
    return { api: `http://127.0.0.1:${config.port}`, ops, log, store };
  }

  async #startRedis(kind: RedisKind, dir: string): Promise<string> {
    const { reaper } = this.#options;
    // Found at the first start and kept: the services know it.
    let port: number | undefined;
    await this.#supervise("redis", `${kind}-redis`, async (spawned) => {
      const known = port === undefined ? {} : { port };
      const server = await startRedisProcess({
        kind,
        dir,
        reaper,
        args: SERVER_ARGS[kind],
        ...known,
        onSpawn: spawned,
      });
      port = server.port;
      await this.#record(`${kind}-redis`, { pid: server.child.pid, command: `127.0.0.1:${port}` });
    });
    return `redis://127.0.0.1:${port}`;
  }

  async #startService(kind: ServiceKind, name: string, opsPort: number, env: NodeJS.ProcessEnv): Promise<string> {
    const { environment, reaper, say } = this.#options;
    const opsUrl = `http://127.0.0.1:${opsPort}`;
    await this.#supervise(kind, name, async (spawned) => {
      const child: Child = await startServiceProcess({
        kind,
        env: { ...environment, ...env, OPS_PORT: String(opsPort) },
        reaper,
        onLine: (line) => say(readableLine(name, line)),
      });
      spawned(child);
      await this.#record(name, { pid: child.pid, command: serviceProgram(kind) });
      await waitUntilReady(name, child, opsUrl, READY_TIMEOUT_MS).catch(async (error: unknown) => {
        await child.stop(STOP_GRACE_MS);
        throw error;
      });
    });
    return opsUrl;
  }

  #supervise(tier: ServiceKind | "redis", name: string, start: SupervisorOptions["start"]): Promise<void> {
    if (this.#stopping) throw new Error("stopped while starting");
    const supervisor = superviseProcess({ name, start, say: this.#options.say });
    this.#tiers[tier].push(supervisor);
    return supervisor.started;
  }

  async #record(name: string, known: KnownProcess): Promise<void> {
    this.#processes.set(name, known);
    await this.#folder?.record([...this.#processes.values()]);
  }
}
