import { beforeAll, describe, expect, test } from "vitest";
import { type EventStream, openEventStream, type StreamOptions } from "../harness/event-stream.ts";
import { applied, type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { type Stack, startStack } from "../harness/stack.ts";

let stack: Stack;
let client: HttpClient;
beforeAll(async () => {
  stack = await startStack({ partitions: 4, env: { MILLRACE_LOG_RETENTION_S: "3600" } });
  client = httpClient(stack.url);
});

const watch = (about: string, options?: StreamOptions): Promise<EventStream> =>
  openEventStream(stack.url, about, options);
const briefly = ({ events }: Pick<EventStream, "events">) => events.map(({ event, data }) => `${event} ${data.key}`);

describe("a stream", () => {
  test("tells each change that was applied, and nothing of what had no effect", async () => {
    const stream = await watch("told");
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    const put = await client.put("told", "{t}k", "1", WAIT);
    await client.put("told", "{t}k", "2", { headers: { "if-none-match": "*", ...WAIT.headers } });
    await client.remove("told", "{t}absent", WAIT);
    const counted = await client.increment("told", "{t}n", "5", WAIT);
    await client.increment("told", "{t}k", "oops".length.toString(), WAIT);
    const removed = await client.remove("told", "{t}k", WAIT);
    await client.put("other", "{t}k", "1", WAIT);
    await client.put("told", "{t}last", "1", WAIT);
    await stream.atLeast(5);
    const revisions = [put, counted].map((answer) => revisionOf(answer).text);
    expect(stream.events.slice(0, 2)).toMatchObject([
      { event: "put", data: { key: "{t}k", revision: revisions[0], operation: "put", content_type: "text/plain" } },
      { event: "put", data: { key: "{t}n", revision: revisions[1], operation: "increment" } },
    ]);
    expect(briefly(stream)).toEqual(["put {t}k", "put {t}n", "put {t}k", "delete {t}k", "put {t}last"]);
    expect(stream.events[3]?.data.revision).toBe(revisionOf(removed).text);
    expect(applied(put).text).toBe(revisions[0]);
    stream.close();
  });
});
