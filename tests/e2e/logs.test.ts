import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LOG_LEVELS } from "../../core/logger.ts";
import { partitionOf } from "../../core/partition.ts";
import { type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { bearer, newToken, newTokensFile, scope, tokenEntry } from "../harness/tokens.ts";

const PARTITIONS = 4;
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;
/** Each of them is in what is sent or configured, and none may be in what is told. */
const SECRETS = {
  value: "s3cret-value-4711",
  key: "s3cret-key-4711",
  token: newToken(),
  wrongToken: "s3cret-wrong-4711",
  password: "s3cret-password-4711",
  metadata: "s3cret-metadata-4711",
};

let stack: Stack;
let client: HttpClient;

beforeAll(async () => {
  const file = await newTokensFile(tokenEntry("tester", SECRETS.token, [scope("*", "", "read", "write", "admin")]));
  stack = await startStack({
    partitions: PARTITIONS,
    env: { ...file.env, MILLRACE_LOG_LEVEL: "trace" },
    reach: async (servers) => {
      const { password } = SECRETS;
      for (const server of Object.values(servers)) {
        await server.restart(["--user", "app", "on", `>${password}`, "~*", "&*", "+@all"]);
      }
      const reached = ({ port }: { port: number }) => ({ url: `redis://app:${password}@127.0.0.1:${port}` });
      return { log: reached(servers.log), store: reached(servers.store) };
    },
  });
  client = httpClient(stack.url, { headers: bearer(SECRETS.token), described: false });
});

const said = (): string[] => [...stack.apis, ...stack.consumers].flatMap((service) => service.logs());
const told = (message: string) =>
  said()
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === message);

/** Its key holds what is none of ours, so that no write to it can be applied. */
async function park(key: string): Promise<string> {
  const partition = partitionOf("n", key, PARTITIONS);
  const store = readStore(stack.store, PARTITIONS);
  await store.redis.set(store.keys(partition).value("n", key), "rubbish");
  const options = { headers: { ...WAIT.headers, traceparent: TRACEPARENT } };
  const answer = await client.put("n", key, SECRETS.value, options);
  expect(answer.status).toBe(422);
  return revisionOf(answer).text;
}

describe("with the log at its most talkative", () => {
  test("a dead command is one warning that leads to its trace and to itself", async () => {
    const id = await park(`${SECRETS.key}-dead`);
    await stack.consumers[0]?.waitForLog(id);
    expect(told("command is dead")).toMatchObject([
      {
        level: "warn",
        service: "consumer",
        partition: partitionOf("n", `${SECRETS.key}-dead`, PARTITIONS),
        id,
        trace_id: TRACE_ID,
        span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
        reason: "the store holds something that is not a value of ours",
      },
    ]);
  });

  test("a rejected one is told at debug", async () => {
    await client.put("n", `${SECRETS.key}-text`, SECRETS.value, WAIT);
    const headers = { ...WAIT.headers, traceparent: TRACEPARENT };
    const answer = await client.increment("n", `${SECRETS.key}-text`, "1", { headers });
    expect(answer.status).toBe(409);
    const id = JSON.parse(answer.text).command ?? revisionOf(answer).text;
    await stack.consumers[0]?.waitForLog(id);
    expect(told("command rejected")).toMatchObject([{ level: "debug", id, trace_id: TRACE_ID }]);
  });

  test("what is refused, not understood or not ours has its line, or none", async () => {
    const { key, value, wrongToken, metadata } = SECRETS;
    const path = `/v1/kv/n/${key}`;
    const patch = { "content-type": "application/merge-patch+json" };
    await client.put("n", key, value, { headers: { "millrace-metadata": JSON.stringify({ metadata }) } });
    await client.put("n", key, value, { headers: { ...WAIT.headers, "idempotency-key": value } });
    await client.get("n", key);
    await client.send("PATCH", path, { body: `{"${value}`, headers: patch });
    await client.send("PATCH", path, { body: "{}", headers: { ...WAIT.headers, ...patch } });
    await client.send("POST", "/v1/batch/n", { body: `{"op":"put","key":"${key}","value":"${value}"}\n{"${value}` });
    await client.commit("n", [{ op: "put", key, value }]);
    const stranger = await client.send("PUT", path, { body: value, headers: bearer(wrongToken) });
    expect(stranger.status).toBe(401);
    await client.send("GET", `/${value}?token=${SECRETS.token}`);
    const reader = readStore(stack.log, PARTITIONS);
    await reader.redis.xadd(reader.keys(1).log, "*", "v1", `${value} {"k":"${key}"}`, "b", value);
    await reader.redis.xadd(reader.keys(1).log, "*", value, value);
    await stack.consumers[0]?.waitForLog("no ordinal");
    await stack.consumers[0]?.waitForLog("not a command");
  });
});

describe("a fault that goes on", () => {
  test("is told louder while the store is away, and its end when it is back", async () => {
    const [consumer] = stack.consumers;
    if (!consumer) throw new Error("no consumer");
    const from = consumer.logs().length;
    const since = (message: string, level: string) =>
      consumer
        .logs()
        .slice(from)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((line) => line.msg === message && line.level === level && (line.redis ?? "store") === "store");
    await stack.store.stop();
    await expect.poll(() => since("connection fault", "warn").length, { timeout: 15_000 }).toBeGreaterThan(0);
    expect(since("connection fault", "info").length).toBe(1);
    expect(since("connection fault", "warn")).toMatchObject([{ faults: expect.any(Number), forS: expect.any(Number) }]);
    await stack.store.restart();
    await expect.poll(() => since("the connection is back", "info").length, { timeout: 15_000 }).toBeGreaterThan(0);
  });
});

test("after all that no value, key, token or password was told", () => {
  expect(said().length).toBeGreaterThan(20);
  for (const secret of Object.values(SECRETS)) expect(said().filter((line) => line.includes(secret))).toEqual([]);
});

test("every line of a process is JSON with time, level, service and message", () => {
  for (const line of said()) {
    const { time, level, service, msg, pid } = JSON.parse(line) as Record<string, string>;
    expect(new Date(time ?? "").toISOString()).toBe(time);
    expect(LOG_LEVELS).toContain(level);
    expect(["api", "consumer"]).toContain(service);
    expect(typeof msg).toBe("string");
    expect(typeof pid).toBe("number");
  }
});

test("a configuration that is refused does not tell the password in it", async () => {
  const api = await stack.addApi({
    env: { LOG_URL: `redis://app:${SECRETS.password}@ho st:1/x` },
    waitReady: false,
  });
  await api.exited;
  expect(api.logs().join("\n")).toContain("LOG_URL");
  expect(api.logs().join("\n")).not.toContain(SECRETS.password);
});

afterAll(() => stack.stop());
