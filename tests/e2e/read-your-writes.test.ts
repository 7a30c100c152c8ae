import { expect, test } from "vitest";
import { alongside, eachOf } from "../harness/crowd.ts";
import { accepted, httpClient, WAIT } from "../harness/http.ts";
import { startStack } from "../harness/stack.ts";

const ROUNDS = 2_000;
const KEYS = Array.from({ length: 16 }, (_, index) => `key-${index}`);

test("a read with the revision of a write never gives an older value, on another API, while consumers restart", async () => {
  const stack = await startStack({ apis: 2, consumers: 2, env: { MILLRACE_LEASE_MS: "500" } });
  const [writer, reader] = stack.apis.map(({ url }) => httpClient(url));
  if (!writer || !reader) throw new Error("two APIs are needed");

  const restart = (end: "stop" | "kill") => async (): Promise<void> => {
    await stack.addConsumer();
    await stack.consumers.find(({ running }) => running)?.[end]();
  };
  const pace = alongside(300, [restart("stop"), restart("kill"), restart("stop"), restart("kill"), restart("stop")]);

  let rounds = 0;
  await eachOf(KEYS, KEYS.length, async (key) => {
    while (rounds < ROUNDS) {
      const round = rounds;
      rounds += 1;
      await pace(round);
      const value = `round ${round}`;
      const revision = accepted(await writer.put("mine", key, value)).text;
      const answer = await reader.get("mine", key, { headers: { "millrace-min-revision": revision, ...WAIT.headers } });
      expect(answer).toMatchObject({ status: 200, text: value });
      expect(answer.headers.etag).toBe(`"${revision}"`);
    }
  });
});
