import { afterAll, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../tests/harness/redis-server.ts";
import { waitFor } from "../../tests/harness/wait-for.ts";
import { decodeEntry } from "../codec.ts";
import type { Command } from "../command.ts";
import { checkFormat } from "../format-record.ts";
import type { ApplicableEntry } from "../functions/apply.ts";
import { Log } from "../log.ts";
import { Store } from "../store.ts";
import { openGroup } from "./group.ts";
import { Link } from "./link.ts";
import { parseRedisUrl } from "./url.ts";

const links: Link[] = [];
afterAll(() => {
  for (const link of links) link.close();
});

async function open(url: string): Promise<Link> {
  const link = new Link(openGroup(parseRedisUrl(url), "test"), "writer", "test");
  links.push(link);
  await new Promise<void>((resolve) => link.open(resolve, () => undefined));
  return link;
}

async function startCluster(): Promise<RedisServer> {
  const server = await startRedis({ args: ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"] });
  const admin = await open(server.url);
  await admin.call({ name: "CLUSTER", args: ["ADDSLOTSRANGE", 0, 16383] });
  await waitFor(async () => String(await admin.call({ name: "CLUSTER", args: ["INFO"] })).includes("cluster_state:ok"));
  return server;
}

test("on Redis Cluster every call of a partition stays in one slot: append, deliver, ack, align, trim, apply, read, coordinate", async () => {
  const server = await startCluster();
  const link = await open(`redis+cluster://127.0.0.1:${server.port}`);
  const log = new Log(link, 16);
  const store = new Store(link, 16);
  expect(await checkFormat(link, link, 16)).toEqual({ log: true, store: true });
  await Promise.all([log.prepare(), store.prepare()]);
  const command: Command = {
    namespace: "n",
    key: "k",
    operation: { op: "put", contentType: "text/plain", value: Buffer.from("v") },
    awaited: false,
    acceptedMs: 1,
  };
  for (const partition of [0, 7, 15]) {
    const { firstId } = await log.append(partition, { producer: "p", firstSequence: 1, commands: [command, command] });
    await log.alignGroup(partition, { id: "0-0", ordinal: 0 }, "c");
    const delivered = await log.deliver(partition, "c", 10);
    const entries = delivered.map(([id, fields]) => decodeEntry(id, fields)) as ApplicableEntry[];
    const reply = await store.apply(partition, { id: "0-0", ordinal: 0 }, entries);
    expect(reply).toMatchObject({ kind: "applied", watermark: { ordinal: 2 } });
    await log.ack(
      partition,
      delivered.map(([id]) => id),
    );
    expect((await store.read(partition, "n", "k")).stored?.contentType).toBe("text/plain");
    await log.trim(partition, firstId);
    expect(await log.range(partition, firstId, 10)).toHaveLength(1);
  }
  const request = { consumer: "c", leaseMs: 1000, release: [], claim: [1], states: new Map([[1, "{}"]]) };
  expect((await log.coordinate(request)).owners.get(1)).toBe("c");
});

test("a connection that was killed, or whose server was, comes back by itself, and repeats nothing", async () => {
  const server = await startRedis();
  const link = await open(server.url);
  const admin = await open(server.url);
  await link.call({ name: "INCR", args: ["n"] });
  await admin.call({ name: "CLIENT", args: ["KILL", "TYPE", "normal", "SKIPME", "yes"] });
  await waitFor(() => link.ready && admin.ready);
  const frozen = (async () => {
    server.pause();
    return link.call({ name: "INCR", args: ["n"] });
  })();
  await expect(frozen).rejects.toThrow();
  server.resume();
  await waitFor(() => link.ready);
  await server.kill();
  await expect(link.call({ name: "INCR", args: ["n"] })).rejects.toThrow();
  await server.restart();
  await waitFor(() => link.ready);
  // 1, and perhaps the one that the frozen server found in its socket: never more, the client repeats nothing.
  expect(Number(String(await link.call({ name: "GET", args: ["n"] })))).toBeLessThanOrEqual(2);
});

test("a call while there is no connection is refused at once, and known not to have happened", async () => {
  const link = new Link(openGroup(parseRedisUrl("redis://127.0.0.1:1"), "test"), "writer", "test");
  links.push(link);
  link.open(
    () => undefined,
    () => undefined,
  );
  const start = performance.now();
  await expect(link.call({ name: "PING", args: [] })).rejects.toThrow();
  expect(performance.now() - start).toBeLessThan(200);
});
