/** Has the Sentinels choose one replica: priority goes before what a replica holds. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RedisNode } from "../../../harness/redis-groups.ts";
import { tell } from "../admin.ts";

const PREFERRED = 10;
const USUAL = 100;
const AGAIN_MS = 50;

/** Prefers a node until stopped, and then puts it back to what all have, as the readiness loop does again and again. */
export function prefer(node: RedisNode): { stop(): Promise<void> } {
  let preferring = true;
  const done = (async () => {
    while (preferring) {
      await tell(node, "CONFIG", "SET", "replica-priority", PREFERRED).catch(() => undefined);
      await sleep(AGAIN_MS);
    }
    await tell(node, "CONFIG", "SET", "replica-priority", USUAL).catch(() => undefined);
  })();
  return {
    stop: async () => {
      preferring = false;
      await done;
    },
  };
}
