/** A real store for tests of its functions. */
import type { Link } from "../../core/redis/link.ts";
import { Store } from "../../core/store.ts";
import { openLink } from "./link.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

export interface StoreLab {
  readonly redis: RedisServer;
  readonly link: Link;
  readonly store: Store;
  /** Forgets everything. */
  reset(): Promise<void>;
}

export async function startStoreLab(partitions = 1): Promise<StoreLab> {
  const redis = await startRedis({ kind: "store" });
  const link = await openLink(redis.url);
  return {
    redis,
    link,
    store: new Store(link, partitions),
    reset: async () => {
      await link.call({ name: "FLUSHALL", args: [] });
    },
  };
}
