/**
 * Does the consumer group tell the truth? Looks at it all the time while clients write: what was delivered and is not
 * applied must be pending.
 *
 * The log is asked first and the store afterwards, so what is not applied then was not applied before. Where a partition
 * changes hands the group is put in order in several steps: only what is seen twice counts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { compareIds } from "../../../core/entry-id.ts";
import { APPLY_GROUP, type PartitionKeys, partitionKeys } from "../../../core/keys.ts";
import { openAdmin } from "./admin.ts";
import { type Cluster, PARTITIONS } from "./cluster.ts";
import type { Findings } from "./violations.ts";

const EVERY_MS = 40;
const PENDING_MAX = 2_000;
const LOOKED_AT = 50;

export interface GroupSampler {
  /** Samples that brought an answer of both. */
  readonly count: number;
  stop(): Promise<void>;
}

export function sampleGroup(cluster: Cluster, findings: Findings): GroupSampler {
  const keys = partitionKeys(PARTITIONS);
  let stopping = false;
  let count = 0;
  const run = async (): Promise<void> => {
    const log = openAdmin(await cluster.master("log"));
    const store = openAdmin(await cluster.master("store"));
    let suspects = new Set<string>();
    try {
      while (!stopping) {
        const found = await Promise.all(keys.map((each) => look(log, store, each).catch(() => null)));
        const names = found.flatMap((ids, partition) => (ids ?? []).map((id) => `partition ${partition} ${id}`));
        for (const name of names) {
          if (suspects.has(name)) findings.add("acked-early", `${name} is acked, and not applied`);
        }
        suspects = new Set(names);
        count += found.every((ids) => ids !== null) ? 1 : 0;
        await sleep(EVERY_MS);
      }
    } finally {
      log.disconnect();
      store.disconnect();
    }
  };
  const running = run().catch(() => undefined);
  return {
    get count() {
      return count;
    },
    stop: async () => {
      stopping = true;
      await running;
    },
  };
}

/** Ids of entries that were delivered, are not pending, and are not applied. */
async function look(log: Redis, store: Redis, keys: PartitionKeys): Promise<string[]> {
  const replies = await log
    .multi()
    .call("XINFO", "GROUPS", keys.log)
    .call("XPENDING", keys.log, APPLY_GROUP, "-", "+", PENDING_MAX)
    .exec();
  const groups = (replies?.[0]?.[1] ?? []) as (string | number)[][];
  const group = groups.map((fields) => new Map(pairs(fields))).find((one) => one.get("name") === APPLY_GROUP);
  const pending = (replies?.[1]?.[1] ?? []) as [string][];
  const delivered = group?.get("last-delivered-id") ?? "0-0";
  const watermark = ((await store.get(keys.watermark)) ?? "0-0 0").split(" ")[0] ?? "0-0";
  if (pending.length === PENDING_MAX || compareIds(delivered, watermark) <= 0) return [];
  const entries = (await log.call("XRANGE", keys.log, `(${watermark}`, delivered, "COUNT", LOOKED_AT)) as [string][];
  const held = new Set(pending.map(([id]) => id));
  return entries.map(([id]) => id).filter((id) => !held.has(id));
}

function pairs(fields: readonly (string | number)[]): [string, string][] {
  return fields.flatMap((name, index) => (index % 2 === 0 ? [[String(name), String(fields[index + 1])]] : []));
}
