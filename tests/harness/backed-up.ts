/** A small Millrace that is backed up and restored by the real scripts. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { Log } from "../../core/log.ts";
import { openBackupLab } from "./backup-lab.ts";
import { applied, httpClient, WAIT } from "./http.ts";
import { keysIn } from "./keys-of.ts";
import { openLink } from "./link.ts";
import { watchPartitions } from "./partitions.ts";
import type { RedisServer } from "./redis-server.ts";
import { startStack } from "./stack.ts";
import { readStore } from "./store-reader.ts";

export const PARTITIONS = 2;
export const NAMESPACE = "backup";
/** One key of each partition. */
export const [KEY, OTHER] = [0, 1].map((partition) => keysIn(partition, PARTITIONS, NAMESPACE, 1)[0]) as [
  string,
  string,
];

export async function startBackedUp() {
  const stack = await startStack({ partitions: PARTITIONS });
  const client = httpClient(stack.url);
  const store = readStore(stack.store, PARTITIONS);
  const lab = await openBackupLab(stack.log, stack.store);
  const partitions = watchPartitions(stack.url);
  const log = new Log(await openLink(stack.log.url), PARTITIONS);
  const good = async (env?: Record<string, string>) => {
    const { code, said } = await lab.backup(env);
    expect(code, said).toBe(0);
    return lab.manifest((await lab.names()).at(-1) ?? "");
  };
  /** The same value for both keys; the newest revision. */
  const put = async (value: string) => {
    const revisions = [];
    for (const key of [KEY, OTHER]) revisions.push(applied(await client.put(NAMESPACE, key, value, WAIT)));
    return revisions;
  };
  const get = async (key: string) => (await client.get(NAMESPACE, key)).text;
  const both = () => Promise.all([get(KEY), get(OTHER)]);
  const loss = async (partition: number) => {
    const { text } = await client.send("GET", `/v1/partitions/${partition}`);
    return (JSON.parse(text) as { loss?: { commands: number; confirm: string; advice?: string } }).loss;
  };
  const accept = async (partition: number) => {
    const confirm = encodeURIComponent((await loss(partition))?.confirm ?? "");
    return (await client.send("POST", `/v1/partitions/${partition}/accept-loss?confirm=${confirm}`)).status;
  };
  /** In place of what the store holds. */
  const restore = async (env?: Record<string, string>, name?: string) => {
    await destroy(stack.store);
    const { code, said } = await lab.restore("store", stack.store, env, name);
    expect(code, said).toBe(0);
    await stack.store.restart();
  };
  const stopConsumers = () => Promise.all(stack.consumers.map((consumer) => consumer.stop()));
  return { stack, client, store, lab, partitions, log, good, put, both, loss, accept, restore, stopConsumers };
}

/** Gone, with its files; it is not started again. */
export async function destroy(server: RedisServer): Promise<void> {
  await server.kill();
  for (const name of await readdir(server.dir)) await rm(join(server.dir, name), { recursive: true });
}
