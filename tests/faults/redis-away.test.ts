import { beforeEach, describe, expect, test } from "vitest";
import { eachOf } from "../harness/crowd.ts";
import { type Answer, accepted, applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { inTime } from "../harness/in-time.ts";
import { readLog } from "../harness/log-reader.ts";
import { type Partitions, watchPartitions } from "../harness/partitions.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;
/** What the API gives a command, and a read, before it says that it cannot; and a little. */
const PUT_MAX_MS = 2_500;
const GET_MAX_MS = 2_000;

describe("with one of the two Redises away", () => {
  let stack: Stack;
  let client: HttpClient;
  let partitions: Partitions;
  /** Values that were accepted, by key. */
  let held: Map<string, string>;
  beforeEach(async () => {
    if (stack) return;
    stack = await startStack({ partitions: PARTITIONS });
    // By default Redis may put the writing of its file off while an earlier part goes to disk: kill -9 then loses it.
    await stack.log.restart(["--appendfsync", "always"]);
    client = httpClient(stack.url);
    partitions = watchPartitions(stack.url);
    held = new Map();
    await put(40);
    await partitions.drained();
  });

  let written = 0;
  async function put(count: number): Promise<void> {
    await eachOf(Array.from({ length: count }), 8, async () => {
      written += 1;
      const [key, value] = [`key-${written}`, `value ${written}`];
      accepted(await client.put("away", key, value));
      held.set(key, value);
    });
  }

  async function expectAllApplied(): Promise<void> {
    await partitions.drained();
    for (const [key, value] of held) expect((await client.get("away", key)).text).toBe(value);
    const log = (await readLog(stack.log, PARTITIONS).all()).map(({ key }) => key);
    expect(log).toEqual(expect.arrayContaining([...held.keys()]));
  }

  const expectUnavailable = (answer: Answer): void => {
    expect(answer.status).toBe(503);
    expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
  };

  const expectWorking = async (): Promise<void> => {
    await waitFor(async () => applied(await client.put("away", "again", "yes", WAIT)), { what: "writes and applies" });
    await waitFor(async () => (await client.get("away", "again")).text === "yes", { what: "reads" });
    await expectAllApplied();
  };

  test("the store killed: writes are accepted, reads get 503; the store back: all of them are applied", async () => {
    await stack.store.kill();
    await put(40);
    expectUnavailable(await inTime(GET_MAX_MS, () => client.get("away", "key-1")));
    await stack.store.restart();
    await expectWorking();
  });

  test("the log killed: writes get 503 in time, reads go on; the log back: nothing accepted is lost", async () => {
    await put(40);
    await stack.log.kill();
    expectUnavailable(await inTime(PUT_MAX_MS, () => client.put("away", "refused", "x")));
    expect(await client.get("away", "key-1")).toMatchObject({ status: 200, text: "value 1" });
    await stack.log.restart();
    await expectWorking();
  });

  test("the log frozen: writes get 503 in time, reads go on; the log awake: writes work with no restart", async () => {
    stack.log.pause();
    expectUnavailable(await inTime(PUT_MAX_MS, () => client.put("away", "unknown", "x")));
    expect(await client.get("away", "key-1")).toMatchObject({ status: 200, text: "value 1" });
    stack.log.resume();
    await expectWorking();
  });

  test("the store frozen: reads get 503 in time, writes are accepted; the store awake: reads work with no restart", async () => {
    stack.store.pause();
    expectUnavailable(await inTime(GET_MAX_MS, () => client.get("away", "key-1")));
    await put(40);
    stack.store.resume();
    await expectWorking();
  });
});
