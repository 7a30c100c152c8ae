import { expect, test } from "vitest";
import { parseRevision } from "../../core/entry-id.ts";
import { keepDoing } from "../harness/crowd.ts";
import { httpClient } from "../harness/http.ts";
import { type LogEntry, readLog } from "../harness/log-reader.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startApi, startConsumer } from "../harness/process.ts";
import { startRedisGroups } from "../harness/redis-groups.ts";
import { readStore } from "../harness/store-reader.ts";
import { type Subscriber, subscribe } from "../harness/subscriber.ts";
import { waitFor } from "../harness/wait-for.ts";
import { randomFrom } from "./suite/random.ts";

const SEED = 20_261_121;
const PARTITIONS = 4;
const SUBSCRIBERS = 20;
const RESUMES = 200;
const WRITERS = 6;
const WRITE_PAUSE_MS = 5;
const ABOUTS = ["feed", "feed?prefix=a/", "feed?prefix=b/&values=true", "feed?prefix=n", "feed?prefix=%7Bt%7D", "@pin"];

/** What somebody who watches is told of a command. */
type Told = readonly [event: string, key: string, revision: string];

test("20 subscribers that resume 200 times, while consumers are killed and log and store fail over, see each applied change of theirs once, in order", async () => {
  const groups = await startRedisGroups();
  const reach = { log: groups.log, store: groups.store, env: { MILLRACE_PARTITIONS: String(PARTITIONS) } };
  const apis = await Promise.all([startApi(reach), startApi(reach)]);
  const consumers = await Promise.all([startConsumer(reach), startConsumer(reach)]);
  const urls = apis.map(({ url }) => url);
  const random = randomFrom(SEED);
  const subscribers = Array.from({ length: SUBSCRIBERS }, (_, index) =>
    subscribe({
      urls: () => urls,
      about: ABOUTS[index % ABOUTS.length] ?? "",
      random: random.fork(`subscriber-${index}`),
      eventsMax: 200,
      stayMaxMs: 600,
    }),
  );
  await Promise.all(subscribers.map(({ started }) => started));

  const clients = urls.map((url) => httpClient(url));
  let accepted = 0;
  const load = keepDoing(WRITERS, async (index) => {
    const client = random.pick(clients);
    const [namespace, key, operation] = chooseWrite(random);
    // A failure is of no interest here: the log tells what was accepted.
    const written =
      operation === "increment"
        ? client.increment(namespace, key)
        : operation === "delete"
          ? client.remove(namespace, key)
          : client.put(namespace, key, `value ${index}`);
    const status = await written.then((answer) => answer.status).catch(() => 0);
    if (status === 202) accepted += 1;
    await new Promise((resolve) => setTimeout(resolve, WRITE_PAUSE_MS));
  });
  const resumes = () => subscribers.reduce((sum, subscriber) => sum + subscriber.resumes, 0);
  const after = (more: number) => {
    const least = accepted + more;
    return waitFor(() => accepted >= least, { timeoutMs: 60_000, what: `${more} more writes` });
  };
  await after(100);
  await consumers[0]?.kill();
  consumers.push(await startConsumer(reach));
  await after(100);
  await groups.log.failover();
  await after(150);
  await groups.store.failover();
  await after(150);
  await consumers[1]?.kill();
  await after(100);
  await waitFor(() => resumes() >= RESUMES, { timeoutMs: 60_000, what: "enough resumes" });
  await load.stop();

  await watchPartitions(urls[0] ?? "").drained();
  const log = readLog(await groups.log.master(), PARTITIONS);
  const without = await commandsWithoutEffect(await groups.store.master());
  const applied = (await log.all()).filter(({ revision }) => !without.has(revision));
  expect(applied.length).toBeGreaterThan(200);
  for (const subscriber of subscribers) await expectEachOnce(subscriber, applied);
  expect(resumes()).toBeGreaterThanOrEqual(RESUMES);
});

function chooseWrite(random: ReturnType<typeof randomFrom>): [namespace: string, key: string, operation: string] {
  const number = random.integer(0, 9);
  const place = random.pick(["a/", "b/", "n", "{t}", "@pin", "other"]);
  if (place === "n") return ["feed", `n${number}`, "increment"];
  const operation = random.chance(0.3) ? "delete" : "put";
  if (place === "@pin" || place === "other") return [place, `k${number}`, operation];
  return ["feed", `${place}${number}`, operation];
}

/** Revisions of commands that were rejected, or changed nothing, as the store has noted them. */
async function commandsWithoutEffect(server: { readonly url: string }): Promise<ReadonlySet<string>> {
  const store = readStore(server, PARTITIONS);
  const without = new Set<string>();
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const rows = await store.redis.xrange(store.keys(partition).outcomes, "-", "+");
    for (const [id, [, result = ""]] of rows) {
      if (/^(rejected|dead|applied (absent|repeated|duplicate))/.test(result))
        without.add(`${String(partition).padStart(2, "0")}-${id}`);
    }
  }
  return without;
}

/** Compares by partition: the order within one is the log's. */
async function expectEachOnce(subscriber: Subscriber, applied: readonly LogEntry[]): Promise<void> {
  const [namespace = "", query = ""] = subscriber.about.split("?");
  const prefix = new URLSearchParams(query).get("prefix") ?? "";
  const expected = applied.filter((entry) => entry.namespace === namespace && entry.key.startsWith(prefix));
  await waitFor(() => subscriber.events.length >= expected.length, {
    what: `${expected.length} events for ${subscriber.about}; ${subscriber.events.length} came`,
  });
  await subscriber.stop();
  expect(subscriber.gone).toEqual([]);
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const told = subscriber.events
      .map(({ event, data }): Told => [event, data.key, data.revision])
      .filter(([, , revision]) => parseRevision(revision, PARTITIONS)?.partition === partition);
    const wanted = expected
      .filter((entry) => entry.partition === partition)
      .map(({ operation, key, revision }): Told => [operation === "delete" ? "delete" : "put", key, revision]);
    expect(told, `${subscriber.about}, partition ${partition}`).toEqual(wanted);
  }
}
