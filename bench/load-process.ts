/**
 * A load generator as a process on the stage.
 */
import { type Child, startChild } from "../infra/local/child.ts";
import { STOP_GRACE_MS, type Stage } from "./stage.ts";

export function startLoad(stage: Stage, command: string, args: readonly string[]): Promise<Child> {
  return stage.add(startChild({ command, args, reaper: stage.reaper }));
}

/** Runs one to its end, bounded in time. Gives all that it has written. @throws when it fails or is not done in time. */
export async function runLoad(
  stage: Stage,
  command: string,
  args: readonly string[],
  withinMs: number,
): Promise<string> {
  const child = await startLoad(stage, command, args);
  const timer = setTimeout(() => void child.stop(STOP_GRACE_MS), withinMs);
  const code = await child.exited;
  clearTimeout(timer);
  const output = child.lines().join("\n");
  if (code !== 0)
    throw new Error(`the load generator failed (${code ?? `not done within ${withinMs} ms`}):\n${output}`);
  return output;
}
