/**
 * The bench's own Node programs: what Millrace is compared with, and the collector.
 */
import { fileURLToPath } from "node:url";
import { type Child, startChild } from "../infra/local/child.ts";
import { findFreePort } from "../infra/local/ports.ts";
import { waitUntilReady } from "../infra/local/service-process.ts";
import type { Stage } from "./stage.ts";

export const READY_WITHIN_MS = 20_000;

/** Starts a program of dist/bench. It gets an empty environment, so that a shell's settings change no figure. */
export function startNode(stage: Stage, program: string, args: readonly string[]): Promise<Child> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const { reaper } = stage;
  return stage.add(startChild({ command: process.execPath, args: [file, ...args], env: {}, reaper }));
}

/** Starts a server that takes its port as first argument, and waits until it is ready. Gives its URL. */
export async function startServer(stage: Stage, program: string, ...args: string[]): Promise<string> {
  const port = await findFreePort();
  const child = await startNode(stage, program, [String(port), ...args]);
  const url = `http://127.0.0.1:${port}`;
  await waitUntilReady(program, child, url, READY_WITHIN_MS);
  return url;
}
