/** Reads what log and store hold, past all code that is tested. */
import type { Redis } from "ioredis";
import { compareIds, type EntryId, ID_ZERO } from "../../../core/entry-id.ts";
import { type PartitionKeys, partitionKeys } from "../../../core/keys.ts";
import { type HttpClient, httpClient } from "../../harness/http.ts";
import { openAdmin } from "./admin.ts";
import { type Cluster, PARTITIONS } from "./cluster.ts";
import type { PartitionImage, StoreImage } from "./evidence.ts";
import { claimOf, type Operation } from "./history.ts";
import type { RawEntry } from "./model.ts";
import type { Random } from "./random.ts";

const KEYS = partitionKeys(PARTITIONS);
const PAGE = 1_000;
const STATUSES = 60;

/** Every entry of every partition from an id on (`-`: the first), from the log's master. */
export async function readLogFrom(cluster: Cluster, from: (partition: number) => string): Promise<RawEntry[][]> {
  const redis = openAdmin(await cluster.master("log"));
  try {
    return await Promise.all(KEYS.map((keys) => readPages(redis, keys.log, from(keys.partition))));
  } finally {
    redis.disconnect();
  }
}

async function readPages(redis: Redis, stream: string, first = "-"): Promise<RawEntry[]> {
  const entries: RawEntry[] = [];
  for (let from = first; ; from = `(${entries.at(-1)?.id}`) {
    const page = (await redis.callBuffer("XRANGE", stream, from, "+", "COUNT", PAGE)) as [Buffer, Buffer[]][];
    for (const [id, fields] of page) entries.push({ id: id.toString("latin1"), fields });
    if (page.length < PAGE) return entries;
  }
}

/** What each node of the store holds: the master, and every replica that is linked to it. */
export async function readStores(cluster: Cluster): Promise<StoreImage[]> {
  const master = await cluster.master("store");
  const nodes = [master, ...(await cluster.groups.store.replicas())];
  return Promise.all(
    nodes.map(async (node) => {
      const redis = openAdmin(node);
      try {
        const isMaster = node === master;
        const partitions = await readImages(redis);
        return { node: `${isMaster ? "master" : "replica"} ${node.host}:${node.port}`, isMaster, partitions };
      } finally {
        redis.disconnect();
      }
    }),
  );
}

async function readImages(redis: Redis): Promise<PartitionImage[]> {
  const names: string[] = [];
  let cursor = "0";
  do {
    const [next, page] = await redis.scan(cursor, "COUNT", PAGE);
    names.push(...page);
    cursor = next;
  } while (cursor !== "0");
  const unique = [...new Set(names)];
  return Promise.all(KEYS.map((keys) => readImage(redis, keys, unique)));
}

async function readImage(redis: Redis, keys: PartitionKeys, names: readonly string[]): Promise<PartitionImage> {
  const valuePrefix = keys.value("", "").slice(0, -1);
  const indexPrefix = keys.index("");
  const [id = "0-0", ordinal = "0"] = ((await redis.get(keys.watermark)) ?? "0-0 0").split(" ");
  const values = new Map<string, Buffer>();
  const valueNames = names.filter((name) => name.startsWith(valuePrefix));
  for (let at = 0; at < valueNames.length; at += PAGE) {
    const page = valueNames.slice(at, at + PAGE);
    const replies = await Promise.all(page.map((name) => redis.getBuffer(name).catch(() => Buffer.from("no string"))));
    for (const [index, name] of page.entries()) {
      const value = replies[index];
      if (value) values.set(name.slice(valuePrefix.length), value);
    }
  }
  const indexes = new Map<string, string[]>();
  for (const name of names.filter((one) => one.startsWith(indexPrefix))) {
    indexes.set(name.slice(indexPrefix.length), await redis.zrange(name, "0", "-1"));
  }
  const outcomes = new Map<EntryId, string>();
  for (const { id: entry, fields } of await readPages(redis, keys.outcomes)) {
    outcomes.set(entry, fields[1]?.toString() ?? "");
  }
  const dead = (await readPages(redis, keys.dead)).map((entry) => entry.id);
  return { watermark: { id, ordinal: Number(ordinal) }, values, indexes, outcomes, dead };
}

/** What the API says of some commands that it has acknowledged. */
export async function askStatuses(
  url: string,
  operations: readonly Operation[],
  foreign: ReadonlySet<string>,
  random: Random,
): Promise<Map<number, string>> {
  const client = httpClient(url, { sockets: 8, described: false });
  const acknowledged = operations.filter(
    (operation) =>
      operation.kind !== "get" &&
      ["accepted", "done"].includes(claimOf(operation)) &&
      !foreign.has(`${operation.namespace}/${operation.key}`),
  );
  const statuses = new Map<number, string>();
  for (const { id, partition, answer } of random.shuffled(acknowledged.slice(-2_000)).slice(0, STATUSES)) {
    if (answer.kind !== "answer" || !answer.revision) continue;
    const revision = `${String(partition).padStart(2, "0")}-${answer.revision}`;
    const said = await client.command(revision);
    // A log that fills up is trimmed before its time, of what is applied.
    if (said.status === 410 && compareIds(answer.revision, await floorOf(client, partition)) <= 0) continue;
    const { status = `${said.status}` } = said.status === 200 ? (JSON.parse(said.text) as { status?: string }) : {};
    statuses.set(id, status);
  }
  return statuses;
}

async function floorOf(client: HttpClient, partition: number): Promise<EntryId> {
  const { text } = await client.send("GET", "/v1/partitions");
  const views = JSON.parse(text) as { partition: number; floor: EntryId }[];
  return views.find((view) => view.partition === partition)?.floor ?? ID_ZERO;
}
