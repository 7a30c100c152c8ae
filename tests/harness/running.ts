/** What a test file has started, so that nothing of it outlives the file: see setup.ts. */
import { type Reaper, startReaper } from "../../infra/local/reaper.ts";

type Cleanup = () => Promise<void> | void;

const cleanups = new Set<Cleanup>();
let shared: Reaper | undefined;

/** One per test process; it cleans up also when the process is killed in the middle of a test. */
export function testReaper(): Reaper {
  shared ??= startReaper("KILL");
  return shared;
}

/** Has `cleanup` run at the end of the test file. */
export function cleanUpLater(cleanup: Cleanup): void {
  cleanups.add(cleanup);
}

/** Ends everything that the tests of this file have started. The newest goes first. */
export async function cleanUp(): Promise<void> {
  const todo = [...cleanups].toReversed();
  cleanups.clear();
  for (const cleanup of todo) await cleanup();
}
