/** One Sentinel of the groups of a test. */
import type { Address } from "../../core/redis/url.ts";
import type { Child } from "../../infra/local/child.ts";
import { type GroupsPlan, startSentinel } from "../../infra/local/redis-groups.ts";
import type { SentinelNode } from "./redis-groups.ts";
import { testReaper } from "./running.ts";

const READY_TIMEOUT_MS = 20_000;

export async function startSentinelNode(
  plan: GroupsPlan,
  address: Address,
  dir: string,
  args: readonly string[],
): Promise<SentinelNode> {
  const start = (): Promise<Child> =>
    startSentinel(plan, address, { dir, args, reaper: testReaper(), readyTimeoutMs: READY_TIMEOUT_MS });
  let current = await start();
  /** Of the processes before. */
  const earlier: string[] = [];
  const node: SentinelNode = {
    ...address,
    get pid() {
      return current.pid;
    },
    get running() {
      return current.running;
    },
    kill: async () => {
      current.signal("SIGKILL");
      await current.exited;
    },
    pause: () => current.signal("SIGSTOP"),
    resume: () => current.signal("SIGCONT"),
    restart: async () => {
      await node.kill();
      earlier.push(...current.lines());
      current = await start();
    },
    logs: () => [...earlier, ...current.lines()],
  };
  return node;
}
