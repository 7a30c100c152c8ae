/**
 * Millrace on one machine: the Redises of a tier, one API and its consumers, each a process of its own as in a cluster.
 * Started from the bottom up and stopped from the top down, so that nobody loses what it stands on.
 */
import type { Child } from "./child.ts";
import type { LocalConfig } from "./config.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import type { ReadLine } from "./log-lines.ts";
import { checkPorts } from "./ports.ts";
import type { KnownProcess } from "./process-list.ts";
import type { Reaper } from "./reaper.ts";
import type { RedisAccess, RedisTier } from "./redis-tier.ts";
import { type ServiceKind, serviceProgram, startServiceProcess, waitUntilReady } from "./service-process.ts";
import { type Supervisor, type SupervisorOptions, superviseProcess } from "./supervisor.ts";

export interface LocalStackOptions {
  config: LocalConfig;
  dataFolder: string;
  redis: RedisTier;
  /** Passed on to the API and the consumers. */
  environment: NodeJS.ProcessEnv;
  reaper: Reaper;
  /** A part of the command line of this process, for the lock of the data folder. */
  program: string;
  say: (line: string) => void;
  /** Makes of a log line what a person reads. */
  readLine: ReadLine;
}

export interface LocalUrls extends RedisAccess {
  api: string;
  ops: readonly string[];
}

/** Longer than a service gives itself for what it has in flight, and a server for its replicas (shutdown-timeout). */
const STOP_GRACE_MS = 25_000;
const READY_TIMEOUT_MS = 60_000;

/** Whoever tries it wants to see all of it. They are sent where OTEL_EXPORTER_OTLP_ENDPOINT says. */
const EVERY_TRACE = { OTEL_TRACES_SAMPLER: "parentbased_always_on" };

/** The Sentinels go before the servers: who is the master stays as it is. */
type Tier = ServiceKind | "sentinel" | "redis";

export class LocalStack {
  readonly #options: LocalStackOptions;
  /** In the order in which they are stopped. */
  readonly #tiers: Record<Tier, Supervisor[]> = { api: [], consumer: [], sentinel: [], redis: [] };
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
    this.#folder = await openDataFolder(this.#options.dataFolder, owner, say);
    const opsPorts = [config.opsPort, ...config.consumerOpsPorts];
    await checkPorts([
      { port: config.port, variable: "PORT" },
      ...opsPorts.map((port) => ({ port, variable: "OPS_PORT" })),
    ]);
    const redis = await this.#options.redis.start({
      folder: this.#folder,
      reaper: this.#options.reaper,
      supervise: (tier, name, start) => this.#supervise(tier, name, start),
      record: (name, known) => this.#record(name, known),
    });
    const urls = { LOG_URL: redis.log, STORE_URL: redis.store, MILLRACE_OPS_HOST: "127.0.0.1" };
    const ops = await Promise.all([
      this.#startService("api", "api", config.opsPort, { ...urls, PORT: String(config.port) }),
      ...config.consumerOpsPorts.map((port, index) =>
        this.#startService("consumer", `consumer-${index + 1}`, port, urls),
      ),
    ]);
    return { ...redis, api: `http://127.0.0.1:${config.port}`, ops };
  }

  async #startService(kind: ServiceKind, name: string, opsPort: number, env: NodeJS.ProcessEnv): Promise<string> {
    const { environment, reaper, say, readLine } = this.#options;
    const opsUrl = `http://127.0.0.1:${opsPort}`;
    await this.#supervise(kind, name, async (spawned) => {
      const child: Child = await startServiceProcess({
        kind,
        telemetry: true,
        env: { ...EVERY_TRACE, ...environment, ...env, OPS_PORT: String(opsPort) },
        reaper,
        onLine: (line) => say(readLine(name, line)),
      });
      spawned(child);
      await this.#record(name, { pid: child.pid, command: serviceProgram(kind) });
      await waitUntilReady(name, child, opsUrl, READY_TIMEOUT_MS, true).catch(async (error: unknown) => {
        await child.stop(STOP_GRACE_MS);
        throw error;
      });
    });
    return opsUrl;
  }

  #supervise(tier: Tier, name: string, start: SupervisorOptions["start"]): Promise<void> {
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
