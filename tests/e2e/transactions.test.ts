import { beforeAll, describe, expect, test } from "vitest";
import { partitionOf } from "../../core/partition.ts";
import { eachOf, keepDoing } from "../harness/crowd.ts";
import { type Answer, accepted, type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;
let stack: Stack;
let client: HttpClient;

beforeAll(async () => {
  stack = await startStack({ partitions: PARTITIONS, consumers: 2, env: { MILLRACE_LEASE_MS: "500" } });
  client = httpClient(stack.url);
});

const commit = (namespace: string, operations: unknown[], conditions: unknown[] = []): Promise<Answer> =>
  client.commit(namespace, operations, conditions, WAIT);
const told = ({ text }: Answer) => JSON.parse(text) as Record<string, unknown>;
const put = (key: string, value: string) => ({ op: "put", key, value });

describe("a transaction", () => {
  test("that is waited for tells what became of each key, and all keys are at its revision", async () => {
    await commit("@shop", [put("stock", "10"), put("cart", '{"n":1}'), put("old", "x")]);
    const conditions = [
      { key: "stock", value: "10" },
      { key: "order", exists: false },
    ];
    const answer = await commit(
      "@shop",
      [
        { op: "increment", key: "stock", by: -3 },
        {
          op: "put",
          key: "order",
          value: "AAEC/w==",
          encoding: "base64",
          content_type: "x/y",
          metadata: { a: 1 },
          ttl: 60,
        },
        { op: "patch", key: "cart", patch: { n: null } },
        { op: "delete", key: "old" },
      ],
      conditions,
    );
    const revision = revisionOf(answer).text;
    expect(answer.status).toBe(200);
    expect(answer.headers.etag).toBe(`"${revision}"`);
    const results = [
      { key: "stock", effect: "counted", value: "7" },
      { key: "order", effect: "created" },
      { key: "cart", effect: "replaced" },
      { key: "old", effect: "deleted" },
    ];
    expect(told(answer)).toEqual({ revision, results });
    const order = await client.get("@shop", "order");
    expect(order.body).toEqual(Buffer.from([0, 1, 2, 255]));
    expect(order.headers).toMatchObject({ "content-type": "x/y", "millrace-metadata": '{"a":1}' });
    expect(Number(order.headers["millrace-expires-at"]) * 1000).toBeGreaterThan(Date.now());
    for (const [key, text] of Object.entries({ stock: "7", cart: "{}" })) {
      const got = await client.get("@shop", key);
      expect([got.text, got.headers.etag]).toEqual([text, `"${revision}"`]);
    }
    expect((await client.get("@shop", "old")).status).toBe(404);
    expect(told(await client.command(revision))).toMatchObject({
      status: "applied",
      result: { effect: "committed", results },
      operation: "txn",
      keys: ["stock", "order", "cart", "old"],
    });
  });

  test("that is not waited for is accepted, and its status tells counters and refusals with their place", async () => {
    const done = accepted(await client.commit("@later", [{ op: "increment", key: "n", by: "9007199254740993" }]));
    expect(told(await client.command(done.text, 10))).toMatchObject({
      status: "applied",
      result: { results: [{ key: "n", effect: "counted", value: "9007199254740993" }] },
    });
    const refused = accepted(await client.commit("@later", [put("a", "")], [{ key: "no", exists: true }]));
    expect(told(await client.command(refused.text, 10))).toMatchObject({
      status: "rejected",
      result: { reason: "condition-not-met", at: "/if/0" },
    });
  });

  test("whose condition is not met is a 412 that names it, and changes nothing", async () => {
    const first = revisionOf(await commit("@cas", [put("a", "1"), put("b", "1")])).text;
    const second = revisionOf(await client.put("@cas", "b", "2", WAIT)).text;
    const both = [
      { key: "a", revision: first },
      { key: "b", revision: first },
    ];
    const answer = await commit("@cas", [put("a", "3"), put("b", "3")], both);
    expect(answer.status).toBe(412);
    expect(told(answer)).toMatchObject({ type: "/problems/precondition-failed", at: "/if/1", key: "b" });
    expect([(await client.get("@cas", "a")).text, (await client.get("@cas", "b")).text]).toEqual(["1", "2"]);
    const elsewhere = `0${(revisionOf(answer).partition + 1) % PARTITIONS}-${first.slice(3)}`;
    expect((await commit("@cas", [], [{ key: "a", revision: elsewhere }])).status).toBe(412);
    const looks = [
      { key: "a", revision: first },
      { key: "a", not_revision: elsewhere },
      { key: "b", not_revision: first },
      { key: "b", revision: second },
    ];
    expect(told(await commit("@cas", [], looks))).toMatchObject({ results: [] });
  });

  test("with an operation that does not fit is told with its place, and changes nothing", async () => {
    await commit("@fit", [put("text", "abc")]);
    const answer = await commit("@fit", [put("a", "1"), { op: "increment", key: "text", by: 1 }]);
    expect(answer.status).toBe(409);
    expect(told(answer)).toMatchObject({ type: "/problems/type-conflict", at: "/then/1", key: "text" });
    expect((await client.get("@fit", "a")).status).toBe(404);
  });

  test("over several partitions is refused with where its keys are; a common tag or a pinned namespace brings them together", async () => {
    const keys = ["a", "b", "c", "d", "e"];
    const answer = await commit(
      "plain",
      keys.map((key) => put(key, "1")),
    );
    expect(answer.status).toBe(422);
    expect(told(answer)).toMatchObject({ type: "/problems/cross-partition" });
    const detail = String(told(answer).detail);
    expect(detail).toContain(`"a" in ${partitionOf("plain", "a", PARTITIONS)}`);
    expect(detail).toContain("{tag}");
    expect(detail).toContain("@");
    expect(
      (
        await commit(
          "plain",
          keys.map((key) => put(`{t}/${key}`, "1")),
        )
      ).status,
    ).toBe(200);
    expect(
      (
        await commit(
          "@plain",
          keys.map((key) => put(key, "1")),
        )
      ).status,
    ).toBe(200);
  });
});

test("of 20 clients that compare and set two keys at once none loses an update", async () => {
  await commit("@pair", [put("left", "0"), put("right", "0")]);
  const updates = 4;
  const values = await eachOf(Array.from({ length: 20 }), 20, async () => {
    const mine: number[] = [];
    while (mine.length < updates) {
      const [left, right] = await Promise.all([client.get("@pair", "left"), client.get("@pair", "right")]);
      const next = Number(left.text) + 1;
      const answer = await commit(
        "@pair",
        [put("left", `${next}`), put("right", `${next}`)],
        [
          { key: "left", revision: String(left.headers.etag).replaceAll('"', "") },
          { key: "right", revision: String(right.headers.etag).replaceAll('"', "") },
        ],
      );
      expect([200, 412]).toContain(answer.status);
      if (answer.status === 200) mine.push(next);
    }
    return mine;
  });
  expect(values.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 * updates }, (_, i) => i + 1));
  const [left, right] = await Promise.all([client.get("@pair", "left"), client.get("@pair", "right")]);
  expect([left.text, right.text]).toEqual([`${20 * updates}`, `${20 * updates}`]);
  expect(left.headers.etag).toBe(right.headers.etag);
});

test("the sum of accounts is the same at every moment, while money is moved and consumers are killed", async () => {
  const accounts = Array.from({ length: 6 }, (_, index) => `account-${index}`);
  await commit(
    "@bank",
    accounts.map((key) => put(key, "1000")),
  );
  const store = readStore(stack.store, PARTITIONS);
  const keys = store.keys(partitionOf("@bank", "", PARTITIONS));
  const names = accounts.map((key) => keys.value("@bank", key));
  const sum = async (): Promise<number> => {
    const values = await store.redis.mget(names);
    return values.reduce((total, value) => total + Number(value?.split("\n")[1]), 0);
  };
  let moves = 0;
  const traffic = keepDoing(8, async (index) => {
    const from = accounts[index % accounts.length] ?? "";
    const to = accounts[(index * 5 + 1 + Math.floor(index / 6)) % accounts.length] ?? "";
    if (from === to) return;
    const by = 1 + (index % 17);
    const both = [
      { op: "increment", key: from, by: -by },
      { op: "increment", key: to, by },
    ];
    // A waiter must not hang where nobody applies: every other one does not wait.
    const answer = await client.commit("@bank", both, [], index % 2 === 0 ? WAIT : {});
    expect([200, 202]).toContain(answer.status);
    moves += 1;
  });
  let looks = 0;
  const watch = keepDoing(1, async () => {
    expect(await sum()).toBe(6000);
    looks += 1;
  });
  for (let kill = 0; kill < 4; kill += 1) {
    const before = moves;
    await stack.consumers.at(kill)?.kill();
    await stack.addConsumer();
    await waitFor(() => moves >= before + 50, { what: "50 moves more" });
  }
  await waitFor(() => looks > 100, { what: "looks at the sum" });
  await traffic.stop();
  await watchPartitions(stack.url).drained();
  await watch.stop();
  const amounts = (await store.redis.mget(names)).map((value) => Number(value?.split("\n")[1]));
  expect(new Set(amounts).size).toBeGreaterThan(1);
});

test("a transaction that meets a foreign type is one dead letter with all its keys, shows what a replay would do, and is replayed", async () => {
  const partition = partitionOf("@dead", "", PARTITIONS);
  const store = readStore(stack.store, PARTITIONS);
  const foreign = store.keys(partition).value("@dead", "b");
  await store.redis.rpush(foreign, "foreign");
  const operations = [put("a", "1"), { op: "patch", key: "b", patch: { x: 1 } }];
  await client.put("@dead", "c", "1", WAIT);
  const answer = await commit("@dead", operations, [{ key: "c", value: "1" }]);
  expect(answer.status).toBe(422);
  const id = revisionOf(answer).text;
  expect((await client.get("@dead", "a")).status).toBe(404);
  for (const key of ["a", "b", "c"]) {
    const listed = told(await client.send("GET", `/v1/dead-letters?namespace=@dead&key=${key}`));
    expect(listed).toMatchObject({
      letters: [{ id, operation: "txn", keys: ["a", "b"], reason: expect.stringContaining("/then/1: WRONGTYPE") }],
    });
  }
  const foresee = async () =>
    told(await client.send("POST", "/v1/dead-letters/replay?namespace=@dead&dry_run=true")).letters;
  expect(await foresee()).toMatchObject([{ id, status: "fail" }]);
  await store.redis.del(foreign);
  expect(await foresee()).toMatchObject([{ id, status: "apply", keys: ["a", "b"] }]);
  await client.put("@dead", "c", "2", WAIT);
  expect(await foresee()).toMatchObject([{ id, status: "reject", reason: "condition-not-met", at: "/if/0" }]);
  await client.put("@dead", "c", "1", WAIT);
  const replayed = await client.send("POST", "/v1/dead-letters/replay?namespace=@dead", WAIT);
  expect(told(replayed)).toMatchObject({ counts: { applied: 1 } });
  await store.redis.rpush(store.keys(partition).value("@dead", "d"), "foreign");
  const other = revisionOf(await commit("@dead", [{ op: "increment", key: "d", by: 5 }, put("e", "1")])).text;
  await store.redis.del(store.keys(partition).value("@dead", "d"));
  const single = await client.send("POST", `/v1/dead-letters/${other}/replay`, WAIT);
  expect(told(single)).toMatchObject({
    results: [
      { key: "d", value: "5" },
      { key: "e", effect: "created" },
    ],
  });
  expect([(await client.get("@dead", "a")).text, (await client.get("@dead", "b")).text]).toEqual(["1", '{"x":1}']);
});
