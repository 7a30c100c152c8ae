import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { type Child, startChild } from "../../infra/local/child.ts";
import { isPortFree } from "../../infra/local/ports.ts";
import { applied, httpClient, WAIT } from "../harness/http.ts";
import { findTestPort, findTestPorts } from "../harness/ports.ts";
import { type RedisGroup, type RedisGroups, type RedisNode, startRedisGroups } from "../harness/redis-groups.ts";
import { cleanUpLater, testReaper } from "../harness/running.ts";
import { askRedis, isReplicaOf, readInfo } from "../harness/sentinel-view.ts";
import { waitFor } from "../harness/wait-for.ts";

const KEYS = 200;
// Several times what they take: a loaded machine is no fault.
const PLANNED_MOVE_MAX_MS = 12_000;
const WRITE_STOP_MAX_MS = 10_000;
const GROUP_START_MAX_MS = 45_000;
const STACK_TIMEOUT_MS = 60_000;

let groups: RedisGroups | undefined;
afterEach(async () => {
  await groups?.stop();
  groups = undefined;
});

async function start(options: Parameters<typeof startRedisGroups>[0] = {}): Promise<RedisGroups> {
  groups = await startRedisGroups(options);
  return groups;
}

/** Writes keys that all other nodes confirm before it returns. */
async function writeConfirmed(group: RedisGroup): Promise<void> {
  const redis = new Redis((await group.master()).url);
  const pipeline = redis.pipeline();
  for (let n = 0; n < KEYS; n += 1) pipeline.set(`key-${n}`, n);
  const copies = group.nodes.length - 1;
  const results = await pipeline.call("WAIT", copies, 5_000).exec();
  redis.disconnect();
  expect(results?.at(-1)).toEqual([null, copies]);
}

const keysOn = async (node: RedisNode): Promise<number> => Number(await askRedis(node, "DBSIZE"));
const saysOf = (node: RedisNode): string => node.logs().join("\n");

describe("a data node under Sentinel", () => {
  test("the master killed, emptied and back before the Sentinels notice: it comes back as a replica, and no confirmed write is lost", async () => {
    const { log } = await start({ downAfterMs: 5_000 });
    await writeConfirmed(log);
    const old = await log.master();
    await old.wipe();
    await old.restart();
    const master = await log.master();
    expect(master).not.toBe(old);
    expect(saysOf(old)).toContain("waits: it was the master");
    await log.healthy();
    expect(await Promise.all(log.nodes.map(keysOn))).toEqual([KEYS, KEYS, KEYS]);
  });

  test("the same without the guard loses every confirmed write on all nodes: that is what it is there for", async () => {
    const { log } = await start({ downAfterMs: 5_000 });
    await writeConfirmed(log);
    const old = await log.master();
    await old.wipe();
    await old.restartUnguarded();
    await log.healthy();
    expect(await log.master()).toBe(old);
    expect(await Promise.all(log.nodes.map(keysOn))).toEqual([0, 0, 0]);
  });

  test("an empty node refuses to be the master over fuller replicas that cannot be promoted", async () => {
    const { log, sentinels } = await start();
    await writeConfirmed(log);
    const old = await log.master();
    const others = log.nodes.filter((node) => node !== old);
    // A failover that finds nobody to promote is tried again after twice this time.
    await Promise.all(sentinels.map((one) => askRedis(one, "SENTINEL", "SET", "log", "failover-timeout", "1000")));
    // Priority 0 is what a replica has until it is in sync. Its readiness would set it right while its link is up.
    await old.wipe();
    await Promise.all(others.map((node) => askRedis(node, "CONFIG", "SET", "replica-priority", "0")));
    await waitFor(async () => !(await anyPromotable(log)));
    const restarted = old.restart();
    restarted.catch(() => undefined);
    await waitFor(() => saysOf(old).includes("REFUSED"));
    expect(saysOf(old)).toMatch(/REFUSED: .* is empty, but its replica .* holds data/);
    expect(await Promise.all(others.map(keysOfStale))).toEqual([KEYS, KEYS]);
    await Promise.all(others.map((node) => askRedis(node, "CONFIG", "SET", "replica-priority", "100")));
    await restarted;
    await log.healthy();
    expect(await Promise.all(log.nodes.map(keysOn))).toEqual([KEYS, KEYS, KEYS]);
  });

  test("a node with no Sentinel majority does not start as a master, and starts when there is one again", async () => {
    const { log, sentinels } = await start();
    const [first, second] = sentinels;
    const old = await log.master();
    await Promise.all([first?.kill(), second?.kill()]);
    await old.kill();
    const restarted = old.restart();
    await waitFor(() => saysOf(old).includes("waits: no majority of the Sentinels"));
    // Longer than the Sentinels would have needed to call it down.
    const since = performance.now();
    await waitFor(() => performance.now() - since > 2_000);
    expect(await isPortFree(old.port)).toBe(true);
    expect(saysOf(old)).not.toContain("starts as");
    await Promise.all([first?.restart(), second?.restart()]);
    await restarted;
    await log.healthy();
  });

  test("a replica that never finished its first sync is not promoted, though the master dies meanwhile", async () => {
    const { store } = await start({ nodes: 2 });
    await writeConfirmed(store);
    const master = await store.master();
    const [replica] = store.nodes.filter((node) => node !== master);
    if (replica === undefined) throw new Error("no replica");
    // A second for each key: the sync lasts longer than the test, and than the master.
    await askRedis(master, "CONFIG", "SET", "rdb-key-save-delay", "1000000");
    await replica.wipe();
    await replica.restart();
    await waitFor(async () => (await readInfo(replica, "replication")).get("master_sync_in_progress") === "1");
    await master.kill();
    await waitFor(async () => (await flagsOfMaster(store)).includes("o_down"));
    // A failover is tried within a second of that.
    await waitFor(() =>
      groups?.sentinels.some((one) => one.logs().join("\n").includes("-failover-abort-no-good-slave")),
    );
    expect((await readInfo(replica, "replication")).get("role")).toBe("slave");
    await master.restart();
    await store.healthy();
    expect(await store.master()).toBe(master);
    expect(await Promise.all(store.nodes.map(keysOn))).toEqual([KEYS, KEYS]);
  });

  test("a replica that no Sentinel knows, left behind at another node than the master, finds the master by itself", async () => {
    const { log, sentinels } = await start();
    const [stray, other] = await log.replicas();
    if (stray === undefined || other === undefined) throw new Error("no replicas");
    await askRedis(stray, "REPLICAOF", other.host, String(other.port));
    await Promise.all(sentinels.map((one) => askRedis(one, "SENTINEL", "RESET", "log")));
    await log.healthy();
    const master = await log.master();
    await waitFor(() => isReplicaOf(stray, master));
  });

  test("a planned move under write load loses no write, and writes stop only for a moment", async () => {
    const { log } = await start();
    const old = await log.master();
    const load = writeCounting(old);
    await waitFor(() => load.acknowledged() > 500);
    const startMs = performance.now();
    const moved = await log.plannedMove();
    const tookMs = performance.now() - startMs;
    const written = await load.ended;
    expect(tookMs).toBeLessThan(PLANNED_MOVE_MAX_MS);
    expect(moved).not.toBe(old);
    await waitFor(() => isReplicaOf(old, moved));
    expect(await keysOn(moved)).toBeGreaterThanOrEqual(written);
    const again = new Redis(moved.url);
    const backMs = await waitFor(async () => (await again.set("after", 1).catch(() => null)) && performance.now());
    again.disconnect();
    expect(backMs - load.lastMs()).toBeLessThan(WRITE_STOP_MAX_MS);
    await log.healthy();
    const counts = await Promise.all(log.nodes.map(keysOn));
    expect(counts).toEqual([counts[0], counts[0], counts[0]]);
  });

  test("a whole group stopped and started again keeps its data and comes up, also with another master than at first", async () => {
    const { log, sentinels } = await start();
    await writeConfirmed(log);
    await log.plannedMove();
    await log.healthy();
    await Promise.all(sentinels.map((one) => one.kill()));
    await Promise.all(log.nodes.map((node) => node.kill()));
    const startMs = performance.now();
    await Promise.all(sentinels.map((one) => one.restart()));
    await Promise.all(log.nodes.map((node) => node.restart()));
    await log.healthy();
    expect(performance.now() - startMs).toBeLessThan(GROUP_START_MAX_MS);
    // Any of them may be the master: all hold the same.
    expect(await Promise.all(log.nodes.map(keysOn))).toEqual([KEYS, KEYS, KEYS]);
  });
});

test("start:ha survives kill -9 of the log's master by a command that it prints, and keeps what was written over a restart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-ha-"));
  testReaper().watchFolder(folder);
  const port = await findTestPort();
  const opsPort = await findTestPorts();
  const client = httpClient(`http://127.0.0.1:${port}`);
  const first = await startStack(folder, port, opsPort);
  applied(await client.put("ha", "before", "1", WAIT));
  const command = first.lines().find((line) => line.trim().startsWith("kill -9")) ?? "";
  const kill = await startChild({ command: "sh", args: ["-c", command], reaper: testReaper() });
  expect(await kill.exited).toBe(0);
  await waitFor(() => first.lines().some((line) => /^!!! log-\d runs again$/.test(line)));
  await waitFor(async () => applied(await client.put("ha", "after", "2", WAIT))).catch((error) => {
    throw new Error(first.lines().join("\n"), { cause: error });
  });
  expect(await first.stop(STACK_TIMEOUT_MS)).toBe(0);

  const second = await startStack(folder, port, opsPort);
  expect((await client.get("ha", "before")).text).toBe("1");
  expect((await client.get("ha", "after")).text).toBe("2");
  expect(await second.stop(STACK_TIMEOUT_MS)).toBe(0);
});

async function startStack(folder: string, port: number, opsPort: number): Promise<Child> {
  const stack = await startChild({
    command: process.execPath,
    args: ["dist/infra/local/start.js", "--ha"],
    reaper: testReaper(),
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      OPS_PORT: String(opsPort),
      MILLRACE_DATA: folder,
      MILLRACE_PARTITIONS: "2",
    },
  });
  cleanUpLater(() => stack.stop(STACK_TIMEOUT_MS).then(() => undefined));
  await waitFor(() => stack.lines().includes("Millrace is ready.") || !stack.running, { timeoutMs: STACK_TIMEOUT_MS });
  expect(stack.lines().join("\n")).toContain("Millrace is ready.");
  return stack;
}

interface Load {
  acknowledged(): number;
  /** When the last write was acknowledged. */
  lastMs(): number;
  /** How many were acknowledged when the server sent this client away. */
  ended: Promise<number>;
}

/** Writes new keys to one server, some at a time, until it does not take them any more. */
function writeCounting(node: RedisNode): Load {
  const redis = new Redis(node.url, {
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  });
  redis.on("error", () => undefined);
  cleanUpLater(() => redis.disconnect());
  let sent = 0;
  let acknowledged = 0;
  let lastMs = 0;
  const write = async (): Promise<void> => {
    for (;;) {
      sent += 1;
      try {
        await redis.set(`load-${sent}`, sent);
      } catch {
        return;
      }
      acknowledged += 1;
      lastMs = performance.now();
    }
  };
  const started = once(redis, "ready").then(() => Promise.all(Array.from({ length: 8 }, write)));
  return { acknowledged: () => acknowledged, lastMs: () => lastMs, ended: started.then(() => acknowledged) };
}

async function viewOf(group: RedisGroup, command: string): Promise<string[][]> {
  const answers = await Promise.all(
    (groups?.sentinels ?? []).map((one) => askRedis(one, "SENTINEL", command, group.kind) as Promise<unknown[]>),
  );
  return answers.map((answer) => answer.flat().map(String));
}

const fieldsNamed = (flat: readonly string[], name: string): string[] =>
  flat.flatMap((word, index) => (word === name ? [flat[index + 1] ?? ""] : []));

async function flagsOfMaster(group: RedisGroup): Promise<string> {
  return (await viewOf(group, "MASTER")).flatMap((view) => fieldsNamed(view, "flags")).join();
}

/** Does any Sentinel know a replica with a priority above 0? */
async function anyPromotable(group: RedisGroup): Promise<boolean> {
  return (await viewOf(group, "REPLICAS"))
    .flatMap((view) => fieldsNamed(view, "slave-priority"))
    .some((one) => one !== "0");
}

/** A replica without its master does not serve, but says how much it has. */
async function keysOfStale(node: RedisNode): Promise<number> {
  return Number(/keys=(\d+)/.exec((await readInfo(node, "keyspace")).get("db0") ?? "")?.[1]);
}
