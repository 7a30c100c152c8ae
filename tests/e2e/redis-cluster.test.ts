import { beforeAll, expect, test } from "vitest";
import { eachOf } from "../harness/crowd.ts";
import { accepted, applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startApi, startConsumer } from "../harness/process.ts";
import { type RedisClusters, startRedisClusters } from "../harness/redis-cluster.ts";

const PARTITIONS = 16;
/** The slots go on moving until each key was written so often. */
const WRITES_AMONG_MOVES = 6;

let clusters: RedisClusters;
let clients: readonly HttpClient[];
let url: string;

beforeAll(async () => {
  clusters = await startRedisClusters();
  const options = { ...clusters, env: { MILLRACE_PARTITIONS: String(PARTITIONS) } };
  const [one, other] = await Promise.all([
    startApi(options),
    startApi(options),
    startConsumer(options),
    startConsumer(options),
  ]);
  url = one.url;
  clients = [httpClient(one.url), httpClient(other.url)];
});

test("a write that asks for nothing has the grade memory, and no other is given", async () => {
  const [client] = clients;
  const answer = await client?.put("n", "k", "v");
  expect(answer?.headers["millrace-grade"]).toBe("memory");
  for (const grade of ["replicated", "disk"]) {
    const refused = await client?.put("n", "k", "v", { headers: { "millrace-grade": grade } });
    expect([refused?.status, refused?.text]).toEqual([400, expect.stringContaining("/problems/grade-unavailable")]);
  }
});

test("while every partition's slots move between masters, log and store, each write is applied once, in order, and read back", async () => {
  const keys = Array.from({ length: 64 }, (_, index) => `key-${index}`);
  let moving = true;
  const counts = new Map<string, number>();
  const stopMoving = () => {
    moving = false;
  };
  const allHaveWritten = () => counts.size === keys.length && Math.min(...counts.values()) >= WRITES_AMONG_MOVES;
  const moved = (async () => {
    do {
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        const key = `mr:{p${String(partition).padStart(2, "0")}}:log`;
        for (const cluster of [clusters.log, clusters.store]) {
          const at = cluster.masters.indexOf(await cluster.ownerOf(key));
          const next = cluster.masters[(at + 1) % cluster.masters.length];
          if (next) await cluster.moveSlotOf(key, next);
        }
      }
      // Who is alive and who owns what moves, too.
      const at = clusters.log.masters.indexOf(await clusters.log.ownerOf("mr:{consumers}:owners"));
      const next = clusters.log.masters[(at + 1) % 3];
      if (next) await clusters.log.moveSlotOf("mr:{consumers}:owners", next);
    } while (moving && !allHaveWritten());
  })().finally(stopMoving);

  await eachOf(keys, keys.length, async (key, index) => {
    const [writer, reader] = index % 2 === 0 ? clients : clients.toReversed();
    if (!writer || !reader) throw new Error("two clients");
    let count = 0;
    while (moving) {
      count += 1;
      const waits = count % 4 === 0;
      const answer = await writer.increment("moving", key, "1", waits ? WAIT : {});
      const revision = (waits ? applied : accepted)(answer).text;
      if (waits) expect(answer.text).toBe(String(count));
      const read = await reader.get("moving", key, { headers: { "millrace-min-revision": revision, ...WAIT.headers } });
      expect([read.status, read.text]).toEqual([200, String(count)]);
      counts.set(key, count);
    }
  }).finally(stopMoving);
  await moved;
  await watchPartitions(url).drained();
  for (const [key, count] of counts) expect((await clients[0]?.get("moving", key))?.text).toBe(String(count));
});
