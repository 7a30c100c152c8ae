/**
 * A load generator as a process on the stage: it runs to its end, and is bounded in time.
 */
import { startChild } from "../infra/local/child.ts";
import { STOP_GRACE_MS, type Stage } from "./stage.ts";

/** Gives all that it has written. @throws when it fails or is not done in time. */
export async function runLoad(
  stage: Stage,
  command: string,
  args: readonly string[],
  withinMs: number,
): Promise<string> {
  const child = await stage.add(startChild({ command, args, reaper: stage.reaper }));
  const timer = setTimeout(() => void child.stop(STOP_GRACE_MS), withinMs);
  const code = await child.exited;
  clearTimeout(timer);
  const output = child.lines().join("\n");
  if (code !== 0)
    throw new Error(`the load generator failed (${code ?? `not done within ${withinMs} ms`}):\n${output}`);
  return output;
}
