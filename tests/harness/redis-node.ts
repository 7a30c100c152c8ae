/** One data node of the groups of a test. */

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatAddress } from "../../core/redis/sentinel-view.ts";
import type { Child } from "../../infra/local/child.ts";
import { keepReadiness, moveMaster, type NodePlace, startNode } from "../../infra/local/redis-groups.ts";
import { startRedisProcess } from "../../infra/local/redis-process.ts";
import type { RedisNode } from "./redis-groups.ts";
import { testReaper } from "./running.ts";

export interface RedisNodeOptions {
  place: NodePlace;
  index: number;
  dir: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Do the Sentinels name it as the master? */
  isMaster: () => Promise<boolean>;
}

const STOP_GRACE_MS = 25_000;
const START_TIMEOUT_MS = 60_000;
/** A supervisor starts a node again that the guard has refused; this one gives up at last. */
const REFUSED_TIMEOUT_MS = 20_000;
const REFUSED_INTERVAL_MS = 500;

/** Starts it through the guard. */
export async function startRedisNode({ place, index, dir, args, env, isMaster }: RedisNodeOptions): Promise<RedisNode> {
  const { kind, address } = place;
  const reaper = testReaper();
  let current: Child | undefined;
  const known = (): Child => {
    if (current === undefined) throw new Error(`${formatAddress(address)} has not been started`);
    return current;
  };
  const onSpawn = (child: Child): void => {
    current = child;
  };
  const start = async (): Promise<void> => {
    const deadline = performance.now() + REFUSED_TIMEOUT_MS;
    for (;;) {
      try {
        await startNode(place, { dir, args, env, reaper, onSpawn, readyTimeoutMs: START_TIMEOUT_MS });
        return;
      } catch (error) {
        const refused = known()
          .lines()
          .some((line) => line.includes("REFUSED"));
        if (!refused || performance.now() > deadline) throw error;
      }
      await sleep(REFUSED_INTERVAL_MS);
    }
  };
  await start();

  const node: RedisNode = {
    kind,
    index,
    ...address,
    url: `redis://${formatAddress(address)}`,
    dir,
    get pid() {
      return known().pid;
    },
    get running() {
      return known().running;
    },
    kill: async () => {
      known().signal("SIGKILL");
      await known().exited;
    },
    pause: () => known().signal("SIGSTOP"),
    resume: () => known().signal("SIGCONT"),
    stop: async () => {
      // Exit code and all: one that cannot move stops all the same, as after a preStop hook.
      if (node.running && (await isMaster())) await moveMaster(place);
      await known().stop(STOP_GRACE_MS);
    },
    restart: async () => {
      await known().stop(STOP_GRACE_MS);
      await start();
    },
    restartUnguarded: async () => {
      await node.kill();
      const reach = ["--protected-mode", "no", "--replica-announce-ip", address.host];
      const { child } = await startRedisProcess({ kind, dir, reaper, ...address, args: [...reach, ...args], onSpawn });
      void keepReadiness(place, child);
    },
    wipe: async () => {
      await node.kill();
      for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true });
    },
    logs: () => known().lines(),
  };
  return node;
}
