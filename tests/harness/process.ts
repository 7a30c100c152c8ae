/** The API and the consumer as real processes, packed as an image holds them, and started as it starts them. */
import type { Child } from "../../infra/local/child.ts";
import { type ServiceKind, startServiceProcess, waitUntilReady } from "../../infra/local/service-process.ts";
import { findTestPort } from "./ports.ts";
import { cleanUpLater, testReaper } from "./running.ts";
import { WAIT_MAX_MS, waitFor } from "./wait-for.ts";

export interface ProcessOptions {
  /** Where the log is: a Redis server, or a proxy in front of one. */
  log: { readonly url: string };
  store: { readonly url: string };
  /** More environment; wins over what is set here. */
  env?: Record<string, string>;
  /** With OpenTelemetry: its spans go to this OTLP/HTTP receiver. */
  telemetry?: { readonly url: string };
  /** false: return as soon as it is started. */
  waitReady?: boolean;
}

export interface ServiceProcess {
  readonly opsUrl: string;
  readonly pid: number;
  readonly running: boolean;
  /** The exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Waits until `GET /healthz/ready` on the ops port is 200. */
  waitReady(timeoutMs?: number): Promise<void>;
  /** The lines written so far. */
  logs(): readonly string[];
  /** The first line that contains this, once there is one. */
  waitForLog(substring: string, timeoutMs?: number): Promise<string>;
}

export interface ApiProcess extends ServiceProcess {
  readonly url: string;
}

export type ConsumerProcess = ServiceProcess;

const READY_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 30_000;

/** Starts one on free ports. */
export async function startApi(options: ProcessOptions): Promise<ApiProcess> {
  const port = await findTestPort();
  const service = await startService("api", { ...options, env: { PORT: String(port), ...options.env } });
  return Object.defineProperties(service, {
    url: { value: `http://127.0.0.1:${options.env?.PORT ?? port}`, enumerable: true },
  }) as ApiProcess;
}

/** Starts one on a free ops port. */
export function startConsumer(options: ProcessOptions): Promise<ConsumerProcess> {
  return startService("consumer", options);
}

async function startService(kind: ServiceKind, options: ProcessOptions): Promise<ServiceProcess> {
  const opsPort = options.env?.OPS_PORT ?? String(await findTestPort());
  const child = await startServiceProcess({
    kind,
    telemetry: options.telemetry !== undefined,
    reaper: testReaper(),
    env: {
      // Nothing of the environment of whoever runs the tests: their settings must not decide a test.
      PATH: process.env.PATH,
      OPS_PORT: opsPort,
      LOG_URL: options.log.url,
      STORE_URL: options.store.url,
      ...(options.telemetry && {
        OTEL_EXPORTER_OTLP_ENDPOINT: options.telemetry.url,
        OTEL_TRACES_SAMPLER: "parentbased_always_on",
        OTEL_BSP_SCHEDULE_DELAY: "50",
      }),
      ...options.env,
    },
  });
  const service = describeService(kind, child, `http://127.0.0.1:${opsPort}`);
  cleanUpLater(() => service.kill());
  if (options.waitReady !== false) await service.waitReady();
  return service;
}

function describeService(name: string, child: Child, opsUrl: string): ServiceProcess {
  return {
    opsUrl,
    pid: child.pid,
    get running() {
      return child.running;
    },
    exited: child.exited,
    stop: () => child.stop(STOP_GRACE_MS),
    kill: async () => {
      child.signal("SIGKILL");
      await child.exited;
    },
    pause: () => child.signal("SIGSTOP"),
    resume: () => child.signal("SIGCONT"),
    waitReady: (timeoutMs = READY_TIMEOUT_MS) => waitUntilReady(name, child, opsUrl, timeoutMs),
    logs: () => child.lines(),
    waitForLog: (substring, timeoutMs = WAIT_MAX_MS) =>
      waitFor(() => child.lines().find((line) => line.includes(substring)), {
        timeoutMs,
        what: `a line of ${name} with "${substring}"`,
      }),
  };
}
