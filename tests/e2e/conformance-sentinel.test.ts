/** The contract on Redis under Sentinel, where each process may do only what infra/redis/users.sh lets it. */
import { describe, expect, test } from "vitest";
import { Log } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import type { Reach } from "../../infra/local/redis-process.ts";
import { testConformance } from "../conformance/in-vitest.ts";
import { untilHeard } from "../harness/back-ends.ts";
import { httpClient, WAIT } from "../harness/http.ts";
import { openLink } from "../harness/link.ts";
import { startApi, startConsumer } from "../harness/process.ts";
import { incrementOf } from "../harness/producer.ts";
import { type RedisGroups, startRedisGroups } from "../harness/redis-groups.ts";
import { newRedisUsers, type RedisUser, type RedisUsers, urlFor } from "../harness/redis-users.ts";
import { askRedis, refusals } from "../harness/sentinel-view.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 16;
/** How long we wait for one answer: nobody is frozen here, and the machine may be busy. */
const patienceMs = 5_000;
const FAILOVER_MAX_MS = 60_000;

interface Lab {
  readonly users: RedisUsers;
  readonly groups: RedisGroups;
  readonly url: string;
  /** Of an API that counts requests. */
  readonly limitedUrl: string;
}

let lab: Promise<Lab> | undefined;

async function startLab(): Promise<Lab> {
  const users = await newRedisUsers();
  const groups = await startRedisGroups({ users });
  const reach = (user: RedisUser) => ({
    log: { url: urlFor(groups.log.url, user, users) },
    store: { url: urlFor(groups.store.url, user, users) },
  });
  const env = { MILLRACE_PARTITIONS: String(PARTITIONS), MILLRACE_TRIM_EVERY_MS: "500" };
  const [api, limited] = await Promise.all([
    startApi({ ...reach("api"), env }),
    startApi({ ...reach("api"), env: { ...env, MILLRACE_RATE_LIMIT: "1000/1m" } }),
    startConsumer({ ...reach("consumer"), env }),
    startConsumer({ ...reach("consumer"), env }),
  ]);
  await untilHeard(api.url, undefined);
  return { users, groups, url: api.url, limitedUrl: limited.url };
}

const running = (): Promise<Lab> => {
  lab ??= startLab();
  return lab;
};

testConformance(running);

const everywhere = ({ groups }: Lab): readonly Reach[] => [
  ...groups.log.nodes,
  ...groups.store.nodes,
  ...groups.sentinels,
];

describe("users of least privilege", () => {
  test("all goes on under them through a failover of both Redises, and nothing was ever refused", async () => {
    const all = await running();
    const { groups, url, limitedUrl } = all;
    const client = httpClient(url);
    const limited = httpClient(limitedUrl);
    await untilHeard(limitedUrl, undefined);
    const before = await limited.put("users", "before", "1", WAIT);
    expect([before.status, before.headers.ratelimit]).toEqual([201, expect.stringMatching(/r=9\d\d;/)]);
    // Refused while a replica does not keep up, or a Sentinel has not seen it: then once more.
    await Promise.all([
      waitFor(() => groups.log.plannedMove(), { timeoutMs: FAILOVER_MAX_MS, what: "a planned move" }),
      waitFor(() => groups.store.failover(), { timeoutMs: FAILOVER_MAX_MS, what: "a failover" }),
    ]);
    await waitFor(async () => (await client.put("users", "after", "2", WAIT)).status < 300, {
      timeoutMs: FAILOVER_MAX_MS,
      what: "a write after the failovers",
    });
    expect((await client.get("users", "before")).text).toBe("1");
    await Promise.all([groups.log.healthy(FAILOVER_MAX_MS), groups.store.healthy(FAILOVER_MAX_MS)]);
    const refused = await Promise.all(everywhere(all).map((node) => refusals({ ...node, patienceMs })));
    expect(refused.flat()).toEqual([]);
  }, 240_000);

  test("what only an operator's word or a log that went back asks for is not refused either", async () => {
    const { users, groups } = await running();
    const spare = PARTITIONS + 3;
    const store = new Store(await openLink(urlFor(groups.store.url, "api", users)), spare + 1);
    await store.prepare();
    const nowhere = await store.watermark(spare);
    expect(await store.advance(spare, nowhere, { ...nowhere, id: "5-0", ordinal: 7 })).toBe(true);
    const log = new Log(await openLink(urlFor(groups.log.url, "consumer", users)), spare + 1);
    await log.prepare();
    await log.alignGroup(spare, nowhere, "nobody");
    const asApi = new Log(await openLink(urlFor(groups.log.url, "api", users)), spare + 1);
    const group = { producer: "operator", firstSequence: 1, commands: [incrementOf("n", "k")] };
    const { firstId } = await asApi.append(spare, group);
    expect(await asApi.giveUp(spare, "0-0", firstId)).toBe(true);
    await log.fence(spare, { id: "5-0", ordinal: 7 }, 0);
  });

  // KEY is what the user has most to do with; a refusal is told before arguments are looked at.
  test.each<[RedisUser, "log" | "store", string[]]>([
    ["api", "log", ["FLUSHALL"]],
    ["api", "log", ["SET", "mr:{p00}:log", "x"]],
    ["api", "log", ["DEL", "mr:{p00}:log"]],
    ["api", "log", ["XTRIM", "mr:{p00}:log", "MAXLEN", "0"]],
    ["api", "log", ["XSETID", "mr:{p00}:log", "9-9"]],
    ["api", "log", ["HSET", "mr:{consumers}:owners", "0", "me"]],
    ["api", "log", ["KEYS", "*"]],
    ["api", "log", ["CONFIG", "SET", "appendonly", "no"]],
    ["api", "log", ["FUNCTION", "FLUSH"]],
    ["api", "log", ["FUNCTION", "DELETE", "x"]],
    ["api", "log", ["EVAL", "return redis.call('GET', 'other')", "1", "other"]],
    ["api", "log", ["EVAL", "return redis.call('SET', 'mr:{p00}:log', 'x')", "0"]],
    ["api", "store", ["FLUSHALL"]],
    ["api", "store", ["SET", "mr:{p00}:k:ns/key", "x"]],
    ["api", "store", ["SET", "mr:{p00}:k:ns/}:watermark", "x"]],
    ["api", "store", ["DEL", "mr:{p00}:k:ns/key"]],
    ["api", "store", ["XADD", "mr:{p00}:dead", "*", "a", "b"]],
    ["api", "store", ["GET", "another:key"]],
    ["api", "store", ["EVAL", "return 1", "0"]],
    ["api", "store", ["SUBSCRIBE", "elsewhere"]],
    ["consumer", "log", ["FLUSHALL"]],
    ["consumer", "log", ["DEL", "mr:{p00}:log"]],
    ["consumer", "log", ["SET", "mr:{p00}:log", "x"]],
    ["consumer", "log", ["GET", "mr:{limits}:1/1:somebody"]],
    ["consumer", "store", ["FLUSHALL"]],
    ["consumer", "store", ["SET", "another:key", "x"]],
    ["consumer", "store", ["CONFIG", "SET", "appendonly", "no"]],
    ["consumer", "store", ["REPLICAOF", "NO", "ONE"]],
    ["probe", "log", ["XRANGE", "mr:{p00}:log", "-", "+"]],
    ["probe", "store", ["GET", "mr:{p00}:k:ns/key"]],
    ["probe", "store", ["CONFIG", "GET", "masterauth"]],
    ["probe", "store", ["SLOWLOG", "GET"]],
    ["replication", "store", ["GET", "mr:{p00}:k:ns/key"]],
    ["replication", "log", ["REPLICAOF", "NO", "ONE"]],
    ["sentinel", "store", ["GET", "mr:{p00}:k:ns/key"]],
    ["sentinel", "log", ["CONFIG", "GET", "masterauth"]],
    ["node", "store", ["GET", "mr:{p00}:k:ns/key"]],
    ["node", "log", ["FLUSHALL"]],
  ])("%s on the %s may not %j", async (user, kind, [name = "", ...args]) => {
    const { groups, users } = await running();
    const { host, port } = await groups.group(kind).master();
    const said = await askRedis({ host, port, username: user, password: users[user], patienceMs }, name, ...args).catch(
      String,
    );
    expect(said).toMatch(/NOPERM|ACL failure|No permissions|can't run this command|can't access/);
  });

  test.each<[RedisUser, string[]]>([
    ["api", ["SENTINEL", "FAILOVER", "log"]],
    ["api", ["SENTINEL", "SET", "log", "quorum", "1"]],
    ["consumer", ["SENTINEL", "REMOVE", "log"]],
    ["consumer", ["SENTINEL", "RESET", "*"]],
    ["probe", ["SENTINEL", "FAILOVER", "log"]],
    ["node", ["SENTINEL", "SET", "log", "quorum", "1"]],
  ])("%s may not tell a Sentinel %j", async (user, [name = "", ...args]) => {
    const { groups, users } = await running();
    const [sentinel] = groups.sentinels;
    const { host = "", port = 0 } = sentinel ?? {};
    const said = await askRedis({ host, port, username: user, password: users[user], patienceMs }, name, ...args).catch(
      String,
    );
    expect(said).toMatch(/NOPERM/);
  });

  test("nobody may do anything without saying who he is, and the replication user reads no Sentinel", async () => {
    const all = await running();
    for (const { host, port } of everywhere(all)) {
      expect(await askRedis({ host, port, patienceMs }, "PING").catch(String)).toContain("NOAUTH");
    }
    const [sentinel] = all.groups.sentinels;
    const { host = "", port = 0 } = sentinel ?? {};
    const login = askRedis({ host, port, patienceMs }, "AUTH", "replication", all.users.replication);
    expect(await login.catch(String)).toContain("WRONGPASS");
  });
});
