/** The built API or consumer as a process. The local stack and the tests both start them here. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Child, startChild } from "./child.ts";
import type { Reaper } from "./reaper.ts";

export type ServiceKind = "api" | "consumer";

export interface ServiceProcessOptions {
  kind: ServiceKind;
  /** With OpenTelemetry, as an image starts it. */
  telemetry: boolean;
  /** True, unless single modules of it are to be replaced: see infra/pack.mjs. */
  packed?: boolean;
  env: NodeJS.ProcessEnv;
  reaper: Reaper;
  onLine?: (line: string) => void;
}

const PACKED = "dist/packed";
const READY_INTERVAL_MS = 40;
const READY_REQUEST_TIMEOUT_MS = 1_000;

/** Starts it; it is not ready yet. */
export function startServiceProcess(all: ServiceProcessOptions): Promise<Child> {
  const { kind, telemetry, packed = true, ...options } = all;
  const folder = packed ? PACKED : "dist";
  const args = [...(telemetry ? ["--import", `./${folder}/otel/bootstrap.js`] : []), serviceProgram(kind, folder)];
  return startChild({ command: process.execPath, args, ...options });
}

/** Relative to the root of the repository; it also tells such a process in a list of processes. */
export function serviceProgram(kind: ServiceKind, folder = PACKED): string {
  return `${folder}/${kind}/main.js`;
}

/**
 * Waits for 200 on the ops port. Throws, with the process's last lines, when it ends or the time is over before.
 * @param whole until it can use both log and store: an api takes requests when it has one of the two
 */
export async function waitUntilReady(
  name: string,
  child: Child,
  opsUrl: string,
  timeoutMs: number,
  whole = false,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let last = "no answer";
  while (child.running && performance.now() < deadline) {
    try {
      const signal = AbortSignal.timeout(READY_REQUEST_TIMEOUT_MS);
      const response = await fetch(`${opsUrl}/healthz/ready`, { signal });
      const body = await response.text();
      if (response.status === 200 && (!whole || isWhole(body))) return;
      last = `${response.status} ${body.trim()}`;
    } catch {
      // Nobody listens yet.
    }
    await sleep(READY_INTERVAL_MS);
  }
  const why = child.running ? `not ready after ${timeoutMs} ms (${last})` : "ended before it was ready";
  throw new Error(`${name} ${why}; its last lines:\n${child.lines().slice(-15).join("\n")}`);
}

function isWhole(body: string): boolean {
  const { log, store } = JSON.parse(body) as { readonly log?: unknown; readonly store?: unknown };
  return log === true && store === true;
}
