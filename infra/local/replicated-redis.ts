/** `npm run start:ha`: log and store as one master and two replicas each, and three Sentinels that watch both. */
import { join } from "node:path";
import { z } from "zod";
import type { Address } from "../../core/redis/url.ts";
import type { Child } from "./child.ts";
import { keptPorts } from "./kept-ports.ts";
import { type GroupsPlan, groupUrl, startNode, startSentinel, waitUntilInSync } from "./redis-groups.ts";
import type { RedisKind } from "./redis-process.ts";
import type { RedisTier, TierTools } from "./redis-tier.ts";

const NODES = 3;
const SENTINELS = 3;
const DOWN_AFTER_MS = 2_000;
const READY_TIMEOUT_MS = 60_000;

const ports = z.array(z.int()).length(NODES);
const portsFile = z.object({ log: ports, store: ports, sentinels: z.array(z.int()).length(SENTINELS) });

export const replicatedRedis: RedisTier = {
  start: async (tools) => {
    const chosen = await keptPorts(join(tools.folder.path, "ports.json"), portsFile, {
      log: NODES,
      store: NODES,
      sentinels: SENTINELS,
    });
    const plan: GroupsPlan = {
      nodes: { log: addressesOf(chosen.log), store: addressesOf(chosen.store) },
      sentinels: addressesOf(chosen.sentinels),
      downAfterMs: DOWN_AFTER_MS,
    };
    await Promise.all(
      plan.sentinels.map((address, index) =>
        keepRunning(tools, "sentinel", `sentinel-${index + 1}`, address, (options) =>
          startSentinel(plan, address, options),
        ),
      ),
    );
    const places = (["log", "store"] as const).flatMap((kind) =>
      plan.nodes[kind].map((address, index) => ({ plan, kind, address, name: `${kind}-${index + 1}` })),
    );
    // All at once: whoever the Sentinels know as the master may have to hear from the others first.
    await Promise.all(
      places.map((place) =>
        keepRunning(tools, "redis", place.name, place.address, (options) => startNode(place, options)),
      ),
    );
    await Promise.all(places.map((place) => waitUntilInSync(place, READY_TIMEOUT_MS)));
    return {
      log: groupUrl(plan, "log"),
      store: groupUrl(plan, "store"),
      // A write is accepted when all replicas have it: only then is it safe whichever of them is promoted.
      notes: notesOn(plan),
    };
  },
};

type StartProcess = (options: Parameters<typeof startNode>[1]) => Promise<Child>;

/** A restart by the supervisor takes the same way, guard and all. */
async function keepRunning(
  { folder, reaper, supervise, record }: TierTools,
  tier: "sentinel" | "redis",
  name: string,
  { port }: Address,
  start: StartProcess,
): Promise<void> {
  const dir = await folder.dir(name);
  await supervise(tier, name, async (spawned) => {
    let recorded = Promise.resolve();
    const onSpawn = (child: Child): void => {
      spawned(child);
      // At once: the guard may have it wait. The port stands in the command line of the guard and of the server.
      recorded = record(name, { pid: child.pid, command: String(port) });
    };
    await start({ dir, reaper, onSpawn, readyTimeoutMs: READY_TIMEOUT_MS });
    await recorded;
  });
}

const addressesOf = (list: readonly number[]): Address[] => list.map((port) => ({ host: "127.0.0.1", port }));

function notesOn(plan: GroupsPlan): string {
  const sentinel = plan.sentinels[0]?.port;
  const list = (addresses: readonly Address[]): string => addresses.map(({ port }) => port).join(", ");
  const masterOf = (kind: RedisKind): string => `redis-cli -p ${sentinel} sentinel get-master-addr-by-name ${kind}`;
  return `
Ports: log ${list(plan.nodes.log)}; store ${list(plan.nodes.store)}; Sentinels ${list(plan.sentinels)}. Who is the master:

  ${masterOf("log")}
  ${masterOf("store")}

Kill the master of the log, go on writing, and look again: another one has taken over, and the killed one is its replica.

  kill -9 $(redis-cli -p $(${masterOf("log")} | tail -1) info server | sed -n 's/^process_id:\\([0-9]*\\).*/\\1/p')
`;
}
