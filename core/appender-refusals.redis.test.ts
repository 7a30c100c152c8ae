import { beforeEach, expect, test } from "vitest";
import { openLink } from "../tests/harness/link.ts";
import { type RedisServer, startRedis } from "../tests/harness/redis-server.ts";
import { waitFor } from "../tests/harness/wait-for.ts";
import { Appender } from "./appender.ts";
import type { Command } from "./command.ts";
import { partitionKeys } from "./keys.ts";
import { Log } from "./log.ts";
import type { Link } from "./redis/link.ts";

const PARTITIONS = 3;
const ALL = Array.from({ length: PARTITIONS }, (_, partition) => partition);

let redis: RedisServer;
let link: Link;
let admin: Link;
let log: Log;
let subject: Appender;

beforeEach(async () => {
  redis ??= await startRedis({ kind: "log" });
  link ??= await openLink(redis.url);
  admin ??= await openLink(redis.url);
  await admin.call({ name: "FLUSHALL", args: [] });
  await waitFor(() => link.ready);
  log = new Log(link, PARTITIONS);
  await log.prepare();
  subject = new Appender(log, {
    partitions: PARTITIONS,
    producer: `test-${Math.random()}`,
    timeoutMs: 700,
    usable: () => link.ready,
  });
});

const set = (name: string, value: string) => admin.call({ name: "CONFIG", args: ["SET", name, value] });

/** One command for each partition, in one turn: the groups travel in one call. @returns what became of each */
async function submitToAll(value: string): Promise<unknown[]> {
  const operation = { op: "put", contentType: "text/plain", value: Buffer.from(value) } as const;
  const command: Command = { namespace: "n", key: "k", operation, awaited: false, acceptedMs: 1 };
  const settled = await Promise.allSettled(ALL.map((partition) => subject.submit(partition, command, "memory")));
  return settled.map((one) => (one.status === "fulfilled" ? one.status : one.reason.code));
}

/** Refuses by a setting, and takes writes again. @returns what the writes were told that came meanwhile */
async function refusedWhile(setting: string): Promise<unknown[]> {
  expect(await submitToAll("before")).toEqual(Array(PARTITIONS).fill("fulfilled"));
  await set(setting, "1");
  const told = await submitToAll("refused");
  await set(setting, "0");
  await waitFor(async () => link.ready && (await submitToAll("after")).every((one) => one === "fulfilled"));
  return told;
}

async function expectNothingRefusedIn(): Promise<void> {
  for (const partition of ALL) {
    const bodies = (await log.range(partition, "0-0", 10)).map(([, fields]) => String(fields.at(-1)));
    expect(bodies).not.toContain("refused");
    expect(bodies).toContain("after");
  }
}

test("a log that is out of memory has written nothing of any group, and each is told so for certain", async () => {
  expect(await refusedWhile("maxmemory")).toEqual(Array(PARTITIONS).fill("log-unavailable"));
  await expectNothingRefusedIn();
});

// NOREPLICAS makes the client look for another master, and a group that is sent again while its connection is given up has
// an unknown outcome: so the answer may promise less than is true, and never more.
test("a log with too few replicas has written nothing of any group, whatever each is told", async () => {
  for (const told of await refusedWhile("min-replicas-to-write")) {
    expect(["log-unavailable", "outcome-unknown"]).toContain(told);
  }
  await expectNothingRefusedIn();
});

test("a group that is refused does not take the others of its call with it, and leaves nothing of itself", async () => {
  const foreign = partitionKeys(PARTITIONS)[1]?.log ?? "";
  await admin.call({ name: "SET", args: [foreign, "not a stream"] });
  expect(await submitToAll("first")).toEqual(["fulfilled", "log-unavailable", "fulfilled"]);
  await admin.call({ name: "DEL", args: [foreign] });
  expect(await submitToAll("second")).toEqual(Array(PARTITIONS).fill("fulfilled"));
  const held = await Promise.all(ALL.map((partition) => log.range(partition, "0-0", 10)));
  expect(held.map(({ length }) => length)).toEqual([2, 1, 2]);
});
