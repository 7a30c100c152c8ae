/** `npm start`: one server for the log and one for the store, without replicas. */
import { type RedisKind, startRedisProcess } from "./redis-process.ts";
import type { RedisTier, TierTools } from "./redis-tier.ts";

/**
 * This log has no replicas: what it has accepted is safe only on the disk. Each write is therefore synced before it is
 * answered, all of one event-loop turn at once. The store can be rebuilt from the log.
 */
const SERVER_ARGS: Record<RedisKind, readonly string[]> = { log: ["--appendfsync", "always"], store: [] };

export const singleRedis: RedisTier = {
  start: async (tools) => {
    const [log, store] = await Promise.all([startServer("log", tools), startServer("store", tools)]);
    return { log, store };
  },
};

async function startServer(kind: RedisKind, { folder, reaper, supervise, record }: TierTools): Promise<string> {
  const dir = await folder.dir(kind);
  const name = `${kind}-redis`;
  // Found at the first start and kept: the services know it.
  let port: number | undefined;
  await supervise("redis", name, async (onSpawn) => {
    const known = port === undefined ? {} : { port };
    const server = await startRedisProcess({ kind, dir, reaper, args: SERVER_ARGS[kind], ...known, onSpawn });
    port = server.port;
    await record(name, { pid: server.child.pid, command: `127.0.0.1:${port}` });
  });
  return `redis://127.0.0.1:${port}`;
}
