import { beforeEach, describe, expect, test } from "vitest";
import { keepDoing, type Load } from "../harness/crowd.ts";
import { type Answer, type HttpClient, httpClient, revisionOf } from "../harness/http.ts";
import { readLog } from "../harness/log-reader.ts";
import type { ApiProcess } from "../harness/process.ts";
import { type Stack, startStack } from "../harness/stack.ts";

const CLIENTS = 48;

/** One request and what became of it. */
interface Attempt {
  sent: boolean;
  ended?: Answer | Error;
}

describe("an API that is told to stop under load", () => {
  let stack: Stack;
  let api: ApiProcess;
  let client: HttpClient;
  let attempts: Attempt[];
  beforeEach(async () => {
    stack ??= await startStack({ apis: 0 });
    api = await stack.addApi();
    client = httpClient(api.url, { sockets: CLIENTS });
    attempts = [];
  });

  const attempt = async (index: number): Promise<Attempt> => {
    const one: Attempt = { sent: false };
    attempts.push(one);
    const onSent = () => {
      one.sent = true;
    };
    // Every third waits until it is applied.
    const headers: Record<string, string> = index % 3 === 0 ? { prefer: "wait=5" } : {};
    try {
      one.ended = await client.put("load", `key-${index % 100}`, `${index}`, { onSent, headers });
    } catch (error) {
      one.ended = error as Error;
    }
    return one;
  };

  /**
   * Returns when the API has read all that was sent before: the system may still hold what is sent, and what it holds when
   * an idle connection is closed was never there. An answer on another connection comes after that.
   */
  const untilRead = async (): Promise<void> => {
    expect((await httpClient(api.url).send("GET", "/v1/none")).status).toBe(404);
  };

  /** What clients were told, once the process has ended: all that was sent before is answered, and no 202 is a lie. */
  const expectNothingLost = async (before: readonly Attempt[]): Promise<void> => {
    for (const { ended } of before) expect(ended).toMatchObject({ status: expect.toBeOneOf([201, 202, 204]) });
    const log = new Set((await readLog(stack.log, 4).all()).map(({ revision }) => revision));
    const answers = attempts.flatMap(({ ended }) => (ended && "status" in ended ? [ended] : []));
    for (const answer of answers) {
      if (answer.status < 300) expect(log).toContain(revisionOf(answer).text);
      else expect(answer.status).toBe(503);
    }
  };

  test("answers every request that was sent before, and ends with code 0", async () => {
    const load: Load = keepDoing(CLIENTS, async (index) => {
      // Each goes on until it is turned away.
      const { ended } = await attempt(index);
      if (ended instanceof Error) void load.stop();
    });
    await expect.poll(() => load.count).toBeGreaterThan(3_000);
    let pending: readonly Attempt[] = [];
    do {
      const sent = attempts.filter((one) => one.sent && !one.ended);
      await untilRead();
      pending = sent.filter(({ ended }) => !ended);
    } while (pending.length === 0);
    expect(await api.stop()).toBe(0);
    await load.stop();
    await expectNothingLost(pending);
  });

  test("answers what waits for a slow log", async () => {
    await client.put("load", "first", "");
    stack.log.pause();
    const all = Promise.all(Array.from({ length: CLIENTS }, (_, index) => attempt(index)));
    await expect.poll(() => attempts.filter(({ sent }) => sent).length).toBe(CLIENTS);
    await untilRead();
    const exited = api.stop();
    await api.waitForLog("stopping");
    stack.log.resume();
    await all;
    expect(await exited).toBe(0);
    await expectNothingLost(attempts);
  });

  test("answers what has come in on kept-alive connections and was not read yet", async () => {
    await Promise.all(Array.from({ length: CLIENTS }, (_, index) => attempt(index)));
    api.pause();
    const all = Promise.all(Array.from({ length: CLIENTS }, (_, index) => attempt(index)));
    await expect.poll(() => attempts.filter(({ sent }) => sent).length).toBe(2 * CLIENTS);
    // It is woken with the signal already there.
    expect(await api.stop()).toBe(0);
    await all;
    await expectNothingLost(attempts);
  });
});
