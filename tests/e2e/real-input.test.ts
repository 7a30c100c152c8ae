import { iso6393 } from "iso-639-3";
import { expect, test } from "vitest";
import { alongside, eachOf } from "../harness/crowd.ts";
import { accepted, httpClient } from "../harness/http.ts";
import { readLog } from "../harness/log-reader.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";

const PARTITIONS = 16;
const CLIENTS = 8;

test("7,000 real records come out byte for byte and none is applied twice, while one consumer is killed and one is frozen for longer than its lease", async () => {
  const records = iso6393.map((record) => ({ code: record.iso6393, json: JSON.stringify(record) }));
  expect(records.length).toBeGreaterThanOrEqual(7_000);
  const stack = await startStack({ partitions: PARTITIONS, consumers: 0, env: { MILLRACE_LEASE_MS: "1000" } });
  const start = (name: string) => stack.addConsumer({ env: { MILLRACE_CONSUMER: name } });
  const [killed, frozen] = await Promise.all([start("killed"), start("frozen"), start("steady")]);
  const first = httpClient(stack.url);
  const partitions = watchPartitions(stack.url);
  await partitions.ownedBy(["killed", "frozen", "steady"]);

  const pace = alongside(1_500, [
    () => killed.kill(),
    async () => {
      frozen.pause();
      await partitions.ownedBy(["steady"]);
    },
    async () => {
      frozen.resume();
      await partitions.ownedBy(["frozen", "steady"]);
    },
  ]);
  const clients = Array.from({ length: CLIENTS }, () => httpClient(stack.url, { sockets: 4 }));
  const clientOf = (index: number) => clients[index % CLIENTS] ?? first;
  const written = await eachOf(records, CLIENTS * 4, async ({ code, json }, index) => {
    await pace(index);
    const client = clientOf(index);
    const [put, count] = await Promise.all([
      client.put("languages", code, json, { headers: { "content-type": "application/json" } }),
      client.increment("counters", `initial-${code[0]}`),
    ]);
    return { code, json, revision: accepted(put).text, counted: accepted(count).text };
  });
  await partitions.drained();

  const read = await eachOf(written, CLIENTS * 4, ({ code }, index) => clientOf(index).get("languages", code));
  for (const [index, { json, revision }] of written.entries()) {
    expect(read[index]).toMatchObject({ status: 200, text: json });
    expect(read[index]?.headers).toMatchObject({ "content-type": "application/json", etag: `"${revision}"` });
  }

  // Each record was counted once, under the first letter of its code.
  for (const initial of new Set(records.map(({ code }) => code[0]))) {
    const expected = records.filter(({ code }) => code[0] === initial).length;
    expect((await first.get("counters", `initial-${initial}`)).text).toBe(String(expected));
  }

  const log = await readLog(stack.log, PARTITIONS).all();
  expect(new Set(log.map(({ revision }) => revision))).toEqual(
    new Set(written.flatMap(({ revision, counted }) => [revision, counted])),
  );
  expect(log).toHaveLength(2 * records.length);
  expect(await readStore(stack.store, PARTITIONS).applied()).toBe(2 * records.length);
});
