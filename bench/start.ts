/**
 * From spawn of the api to its first 200 on the readiness path, against bare Hono with one Redis connection.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "../infra/local/child.ts";
import { findFreePort } from "../infra/local/ports.ts";
import { interleave } from "./interleave.ts";
import { startApi, startSurroundings } from "./millrace.ts";
import { startNode } from "./node-process.ts";
import type { Row } from "./row.ts";
import { STOP_GRACE_MS, type Stage } from "./stage.ts";

const ROUNDS = 5;
/** Short, since half of it is in the figures. */
const POLL_MS = 4;
const READY_WITHIN_MS = 10_000;

export async function benchStart(stage: Stage): Promise<Row[]> {
  const { env, storeUrl } = await startSurroundings(stage);
  const taken = await interleave(
    ROUNDS,
    async () => {
      const spawnedMs = performance.now();
      const { child, opsUrl } = await startApi(stage, env);
      return timeToReady(child, opsUrl, spawnedMs);
    },
    async () => {
      const port = await findFreePort();
      const spawnedMs = performance.now();
      const child = await startNode(stage, "baseline/get-server.js", [String(port), storeUrl]);
      return timeToReady(child, `http://127.0.0.1:${port}`, spawnedMs);
    },
  );
  return [
    {
      name: "start",
      what: "api: spawn to ready",
      unit: "ms",
      ours: { name: "api", rounds: taken.ours },
      baseline: { name: "Hono + Redis", rounds: taken.baseline },
      targets: [{ of: "ours", bound: "at most", value: 400 }],
    },
  ];
}

async function timeToReady(child: Child, url: string, spawnedMs: number): Promise<number> {
  while (!(await isReady(`${url}/healthz/ready`))) {
    const late = performance.now() - spawnedMs > READY_WITHIN_MS;
    if (late || !child.running) throw new Error(`not ready:\n${child.lines().slice(-15).join("\n")}`);
    await sleep(POLL_MS);
  }
  const readyMs = performance.now() - spawnedMs;
  await child.stop(STOP_GRACE_MS);
  return readyMs;
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(READY_WITHIN_MS) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false; // Not listening yet.
  }
}
