import { beforeEach, describe, expect, test } from "vitest";
import { accepted, type HttpClient, httpClient } from "../harness/http.ts";
import { type LogReader, readLog } from "../harness/log-reader.ts";
import { type RedisProxy, startProxy } from "../harness/proxy.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const COMMANDS = 20;
/** So many commands in one call are a group. */
const GROUP_MIN = 5;

describe("a group of commands between the API and the log", () => {
  let stack: Stack;
  let log: LogReader;
  let proxy: RedisProxy;
  let client: HttpClient;
  let before: ReadonlySet<string>;
  beforeEach(async () => {
    if (!stack) {
      stack = await startStack({ partitions: 1, apis: 0 });
      log = readLog(stack.log, 1);
      proxy = await startProxy(stack.log);
      client = httpClient((await stack.addApi({ log: proxy })).url);
    }
    before = new Set((await log.entries(0)).map(({ revision }) => revision));
  });

  const newEntries = async () => (await log.entries(0)).filter(({ revision }) => !before.has(revision));

  /** Increments that become one group: the first holds the way while the others gather behind it. */
  const send = async (): Promise<string[]> => {
    proxy.freeze();
    const answers = Array.from({ length: COMMANDS }, () => client.increment("group", "counter"));
    // The answer to a later request on its own connection tells that the earlier ones have been read.
    await httpClient(stack.url).send("GET", "/v1/none");
    proxy.thaw();
    return (await Promise.all(answers)).map((answer) => accepted(answer).text);
  };

  const expectOnce = async (revisions: readonly string[]): Promise<void> => {
    const entries = await newEntries();
    expect(entries).toHaveLength(COMMANDS);
    expect(revisions.toSorted()).toEqual(entries.map(({ revision }) => revision).toSorted());
    const total = String(before.size + COMMANDS);
    await waitFor(async () => (await client.get("group", "counter")).text === total, {
      what: `the counter at ${total}`,
    });
  };

  test("is in the log once when its reply is lost and it is sent again, and its clients get the first ids", async () => {
    let first: string[] = [];
    const cutReply = new Promise<void>((resolve) => {
      const arm = () =>
        proxy.onReply("append_", async () => {
          first = (await newEntries()).map(({ revision }) => revision);
          if (first.length < GROUP_MIN) {
            arm();
            return "forward";
          }
          resolve();
          return "cut";
        });
      arm();
    });
    const [revisions] = await Promise.all([send(), cutReply]);
    expect(revisions).toEqual(expect.arrayContaining(first));
    await expectOnce(revisions);
  });

  test("is in the log once when its reply is lost again and again", async () => {
    let losses = 0;
    const lostThrice = new Promise<void>((resolve) => {
      const arm = () =>
        proxy.onReply("append_", async () => {
          losses += 1;
          if (losses < 3) arm();
          else resolve();
          return "cut";
        });
      arm();
    });
    const [revisions] = await Promise.all([send(), lostThrice]);
    await expectOnce(revisions);
  });

  test("is in the log once when it never got there at first", async () => {
    const hook = proxy.onRequest("append_", async () => {
      expect(await newEntries()).toEqual([]);
      return "cut";
    });
    const [revisions] = await Promise.all([send(), hook.fired]);
    await expectOnce(revisions);
  });
});
