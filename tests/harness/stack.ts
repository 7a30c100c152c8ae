/** Millrace as a whole: two Redis servers, APIs and consumers, each a process of its own. */
import {
  type ApiProcess,
  type ConsumerProcess,
  type ProcessOptions,
  type ServiceProcess,
  startApi,
  startConsumer,
} from "./process.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { waitFor } from "./wait-for.ts";

export interface StackOptions {
  apis?: number;
  consumers?: number;
  partitions?: number;
  /** For every API and consumer. */
  env?: Record<string, string>;
  /** With OpenTelemetry, for every API and consumer. */
  telemetry?: ProcessOptions["telemetry"];
  /** Where the APIs and consumers find the two, when not directly: a proxy in front of it. */
  reach?: (servers: { log: RedisServer; store: RedisServer }) => Promise<Partial<Reach>>;
}

type Reach = Pick<ProcessOptions, "log" | "store">;

export interface Stack {
  readonly log: RedisServer;
  readonly store: RedisServer;
  readonly apis: readonly ApiProcess[];
  readonly consumers: readonly ConsumerProcess[];
  /** Of the first API. */
  readonly url: string;
  addApi(options?: Partial<ProcessOptions>): Promise<ApiProcess>;
  addConsumer(options?: Partial<ProcessOptions>): Promise<ConsumerProcess>;
  /** In the order of a clean shutdown: APIs, consumers, servers. */
  stop(): Promise<void>;
}

/** Starts everything and returns when all are ready. What is left running is ended with the test file. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { apis: apiCount = 1, consumers: consumerCount = 1, partitions = 4, env = {} } = options;
  const [log, store] = await Promise.all([startRedis({ kind: "log" }), startRedis({ kind: "store" })]);
  const reach: Reach = { log, store, ...(await options.reach?.({ log, store })) };
  const apis: ApiProcess[] = [];
  const consumers: ConsumerProcess[] = [];

  const complete = (more: Partial<ProcessOptions> = {}): ProcessOptions => ({
    ...reach,
    ...(options.telemetry && { telemetry: options.telemetry }),
    ...more,
    env: { MILLRACE_PARTITIONS: String(partitions), ...env, ...more.env },
  });
  const stack: Stack = {
    log,
    store,
    apis,
    consumers,
    get url() {
      const [first] = apis;
      if (first === undefined) throw new Error("this stack has no API");
      return first.url;
    },
    addApi: async (more) => {
      const api = await startApi(complete(more));
      if (more?.waitReady !== false) await untilWhole(api);
      apis.push(api);
      return api;
    },
    addConsumer: async (more) => {
      const consumer = await startConsumer(complete(more));
      consumers.push(consumer);
      return consumer;
    },
    stop: async () => {
      await stopAll(apis);
      await stopAll(consumers);
      await Promise.all([log.stop(), store.stop()]);
    },
  };
  await Promise.all([
    ...Array.from({ length: apiCount }, () => stack.addApi()),
    ...Array.from({ length: consumerCount }, () => stack.addConsumer()),
  ]);
  return stack;
}

/** An API is ready as soon as it can use one of the two Redises: a test counts on both. */
async function untilWhole({ opsUrl }: ApiProcess): Promise<void> {
  await waitFor(
    async () => {
      const { log, store } = (await (await fetch(`${opsUrl}/healthz/ready`)).json()) as Record<string, unknown>;
      return log === true && store === true;
    },
    { what: "an API that can use log and store" },
  );
}

async function stopAll(processes: readonly ServiceProcess[]): Promise<void> {
  await Promise.all(processes.map((one) => one.stop()));
}
