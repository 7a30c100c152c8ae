/**
 * Millrace as it is deployed: built api and consumer processes, two Redis.
 */
import type { Child } from "../infra/local/child.ts";
import { findFreePort } from "../infra/local/ports.ts";
import { startServiceProcess, waitUntilReady } from "../infra/local/service-process.ts";
import { request } from "./http-request.ts";
import { READY_WITHIN_MS, startServer } from "./node-process.ts";
import { startRedis } from "./redis.ts";
import type { Stage } from "./stage.ts";

export const PARTITIONS = 16;

export interface Millrace {
  readonly apiUrl: string;
  readonly storeUrl: string;
  /** Where a wrk script or a load generator appends the number of a key. */
  readonly keysUrl: string;
  /** What api and consumer share. */
  readonly env: Readonly<Record<string, string>>;
}

/** What the api and the consumer see: two Redis with append-only files, and somebody who takes their spans. */
export async function startSurroundings(stage: Stage) {
  const [logUrl, storeUrl] = [await startRedis(stage, "log"), await startRedis(stage, "store")];
  const env = {
    NODE_ENV: "production",
    LOG_URL: logUrl,
    STORE_URL: storeUrl,
    MILLRACE_PARTITIONS: String(PARTITIONS),
    OTEL_EXPORTER_OTLP_ENDPOINT: await startServer(stage, "baseline/trace-sink.js"),
  };
  return { storeUrl, env };
}

/** Starts an api process without waiting until it is ready. @param packed false where modules of it are replaced */
export async function startApi(stage: Stage, env: Millrace["env"], packed = true) {
  const [port, opsPort] = [await findFreePort(), await findFreePort()];
  const ports = { PORT: String(port), OPS_PORT: String(opsPort) };
  const { reaper } = stage;
  const telemetry = env.OTEL_SDK_DISABLED !== "true";
  const process = { kind: "api", telemetry, packed, env: { ...env, ...ports }, reaper } as const;
  const child = await stage.add(startServiceProcess(process));
  return { child, apiUrl: `http://127.0.0.1:${port}`, opsUrl: `http://127.0.0.1:${opsPort}` };
}

/** The whole of Millrace without a consumer: writes are accepted and wait in the log. */
export async function startMillrace(stage: Stage): Promise<Millrace> {
  const surroundings = await startSurroundings(stage);
  const { child, apiUrl, opsUrl } = await startApi(stage, surroundings.env);
  await waitUntilReady("api", child, opsUrl, READY_WITHIN_MS);
  return { ...surroundings, apiUrl, keysUrl: `${apiUrl}/v1/kv/bench/k` };
}

/** Starts a consumer without waiting: it may have worked off a backlog before it is seen to be ready. */
export async function spawnConsumer(stage: Stage, millrace: Millrace, packed = true) {
  const opsPort = await findFreePort();
  const env: Millrace["env"] = { ...millrace.env, OPS_PORT: String(opsPort) };
  const telemetry = env.OTEL_SDK_DISABLED !== "true";
  const child = await stage.add(
    startServiceProcess({ kind: "consumer", telemetry, packed, env, reaper: stage.reaper }),
  );
  return { child, opsUrl: `http://127.0.0.1:${opsPort}` };
}

export async function startConsumer(stage: Stage, millrace: Millrace): Promise<Child> {
  const { child, opsUrl } = await spawnConsumer(stage, millrace);
  await waitUntilReady("consumer", child, opsUrl, READY_WITHIN_MS);
  return child;
}

/** Commands accepted and not yet applied, over all partitions. */
export async function backlog(millrace: Millrace): Promise<number> {
  const partitions: unknown = JSON.parse((await request(`${millrace.apiUrl}/v1/partitions`, 200)).toString());
  if (!Array.isArray(partitions)) throw new Error("GET /v1/partitions gave no array");
  return partitions.reduce((sum: number, partition: { backlog: number }) => sum + Number(partition.backlog), 0);
}
