import { beforeAll, describe, expect, test } from "vitest";
import { openLineBatch } from "../harness/batch-lines.ts";
import { type Answer, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { type LogReader, readLog } from "../harness/log-reader.ts";
import type { ApiProcess } from "../harness/process.ts";
import { type RedisProxy, startProxy } from "../harness/proxy.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const ROUNDS = 3;

describe.concurrent("a write whose fate its client does not know, repeated with its idempotency key, has exactly one effect", () => {
  let stack: Stack;
  let log: LogReader;
  beforeAll(async () => {
    stack = await startStack({ partitions: 1, apis: 1 });
    log = readLog(stack.log, 1);
  });

  const once = (key: string) => ({ headers: { ...WAIT.headers, "idempotency-key": key } });
  const entriesOf = async (key: string) => (await log.entries(0)).filter((entry) => entry.key === key).length;
  const unknown = (answer: Answer) => answer.status === 503 && answer.text.includes("/problems/outcome-unknown");

  /** An API of its own, with a proxy between it and the log. */
  const behindProxy = async (): Promise<{ api: ApiProcess; client: HttpClient; proxy: RedisProxy }> => {
    const proxy = await startProxy(stack.log);
    const api = await stack.addApi({ log: proxy, env: { MILLRACE_APPEND_TIMEOUT_MS: "500" } });
    return { api, client: httpClient(api.url), proxy };
  };

  const repeatUntilKnown = (client: HttpClient, key: string): Promise<Answer> =>
    waitFor(
      async () => {
        const answer = await client.increment("n", key, "1", once(key));
        return answer.status === 503 ? undefined : answer;
      },
      { what: `an answer for ${key}` },
    );

  test.each([
    ["it was in the log, and the answer was lost with the connection", "onReply"],
    ["it never got to the log", "onRequest"],
  ] as const)("%s", async (what, when) => {
    const { client, proxy } = await behindProxy();
    for (let round = 0; round < ROUNDS; round += 1) {
      const key = `${when}-${round}`;
      proxy[when]("append_", async () => {
        await proxy.refuse();
        return "cut";
      });
      const first = await client.increment("n", key, "1", once(key));
      expect([what, first.status, unknown(first)]).toEqual([what, 503, true]);
      // Impatient, while the log is away: what was applied by then is known all the same. And at another API.
      expect([503, when === "onReply" ? 200 : 503]).toContain(
        (await client.increment("n", key, "1", once(key))).status,
      );
      const elsewhere = httpClient(stack.url).increment("n", key, "1", once(key));
      await proxy.accept();
      const [here, there] = await Promise.all([repeatUntilKnown(client, key), elsewhere]);
      expect([here.status, here.text, there.status, there.text]).toEqual([200, "1", 200, "1"]);
      expect(here.headers["millrace-revision"]).toBe(there.headers["millrace-revision"]);
      expect(await client.get("n", key)).toMatchObject({ text: "1" });
      expect(await entriesOf(key)).toBeGreaterThanOrEqual(1);
    }
  });

  test("its API was killed when the log had it, before anybody was told", async () => {
    const { api, client, proxy } = await behindProxy();
    const hook = proxy.onReply("append_", async () => {
      await api.kill();
      return "cut";
    });
    await expect(client.increment("n", "killed", "1", once("killed"))).rejects.toThrow();
    await hook.fired;
    expect(await entriesOf("killed")).toBe(1);
    const answer = await repeatUntilKnown(httpClient(stack.url), "killed");
    expect([answer.status, answer.text, answer.headers["idempotent-replayed"]]).toEqual([200, "1", "true"]);
    expect(await httpClient(stack.url).get("n", "killed")).toMatchObject({ text: "1" });
  });

  test("a batch whose API was killed in the middle is sent again as a whole, and each item has one effect", async () => {
    const LINES = 2_000;
    const headers = { ...WAIT.headers, "idempotency-key": "all-of-it" };
    const send = (url: string, lines: number) => {
      const batch = openLineBatch(url, "n", headers);
      for (let line = 0; line < lines; line += 1) batch.outgoing.write('{"op":"increment","key":"many","by":1}\n');
      // Half of it is the beginning of more.
      if (lines === LINES) batch.end();
      return batch.results();
    };
    const api = await stack.addApi();
    const told: string[] = [];
    try {
      for await (const { value = "" } of send(api.url, LINES / 2)) {
        told.push(value);
        if (told.length === LINES / 4) await api.kill();
      }
    } catch {
      // Cut off.
    }
    expect(told.length).toBeLessThan(LINES);
    const values: string[] = [];
    for await (const { status, value = "" } of send(stack.url, LINES)) {
      expect(status).toBe(200);
      values.push(value);
    }
    expect(values).toEqual(Array.from({ length: LINES }, (_, index) => String(index + 1)));
    expect(values.slice(0, told.length)).toEqual(told);
    expect(await httpClient(stack.url).get("n", "many")).toMatchObject({ text: String(LINES) });
  });
});
