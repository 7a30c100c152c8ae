import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { formatRevision } from "../../core/entry-id.ts";
import { LETTERS_MAX_BYTES } from "../../core/limits.ts";
import { partitionOf } from "../../core/partition.ts";
import { type Answer, applied, type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore, type StoreReader } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;
const LETTERS = "/v1/dead-letters";

let stack: Stack;
let client: HttpClient;
let store: StoreReader;

beforeAll(async () => {
  stack = await startStack({ partitions: PARTITIONS });
  client = httpClient(stack.url);
  store = readStore(stack.store, PARTITIONS);
});

beforeEach(async () => {
  await client.send("DELETE", `${LETTERS}?all=true`, WAIT);
});

const json = (answer: Answer) => JSON.parse(answer.text) as never;
const problem = (answer: Answer) => [answer.status, (json(answer) as { type: string }).type];
const valueKey = (key: string) => store.keys(partitionOf("n", key, PARTITIONS)).value("n", key);
const poison = (key: string) => store.redis.set(valueKey(key), "rubbish");
const heal = (key: string) => store.redis.del(valueKey(key));
const list = async (query = ""): Promise<{ letters: Letter[]; cursor: string | null; complete: boolean }> =>
  json(await client.send("GET", `${LETTERS}?${query}`));
const replay = (id: string, query = "", headers: Record<string, string> = WAIT.headers) =>
  client.send("POST", `${LETTERS}/${id}/replay${query}`, { headers });

interface Letter {
  readonly id: string;
  readonly key?: string;
  readonly partition: number;
}

/** A put that cannot be applied, on a key where it then could. @returns its id */
async function park(key: string, value: string | Buffer = "old", headers: Record<string, string> = {}) {
  await poison(key);
  const answer = await client.put("n", key, value, { headers: { ...WAIT.headers, ...headers } });
  expect(problem(answer)).toEqual([422, "/problems/command-dead"]);
  await heal(key);
  return revisionOf(answer).text;
}

describe("a dead letter can be read", () => {
  test("with all of it: what it says, why it failed, how often, when, and in which trace", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const id = await park("all", "välue", { traceparent, "if-none-match": "*" });
    expect(json(await client.send("GET", `${LETTERS}/${id}`))).toEqual({
      id,
      partition: partitionOf("n", "all", PARTITIONS),
      reason: "the store holds something that is not a value of ours",
      lastReason: "the store holds something that is not a value of ours",
      attempts: 1,
      namespace: "n",
      key: "all",
      operation: "put",
      contentType: "text/plain",
      condition: { ifNoneMatch: "*" },
      acceptedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      traceId: "0af7651916cd43dd8448eb211c80319c",
      bytes: 6,
      header: expect.stringContaining('"o":"put"'),
      value: { encoding: "text", data: "välue", truncated: false },
    });
  });

  test("whose value is no text, or long", async () => {
    const binary = await park("binary", Buffer.from([0xff, 0, 1]));
    expect(json(await client.send("GET", `${LETTERS}/${binary}`))).toMatchObject({
      value: { encoding: "base64", data: "/wAB", truncated: false },
    });
    const long = await park("long", `x${"é".repeat(100_000)}`);
    const shown: { bytes: number; value: { data: string; truncated: boolean } } = json(
      await client.send("GET", `${LETTERS}/${long}`),
    );
    expect(shown).toMatchObject({ bytes: 200_001, value: { encoding: "text", truncated: true } });
    expect(shown.value.data).toMatch(/^xé+$/);
    expect(Buffer.byteLength(shown.value.data)).toBeLessThanOrEqual(64 * 1024);
  });

  test("one that never was and one that was are told apart", async () => {
    const id = await park("gone");
    expect((await client.send("DELETE", `${LETTERS}/${id}`, WAIT)).status).toBe(204);
    expect(problem(await client.send("GET", `${LETTERS}/${id}`))).toEqual([410, "/problems/dead-letter-gone"]);
    expect(problem(await replay(id))).toEqual([410, "/problems/dead-letter-gone"]);
    expect(problem(await replay("00-1-1"))).toEqual([404, "/problems/dead-letter-not-found"]);
    expect(problem(await client.send("DELETE", `${LETTERS}/00-1-1`))).toEqual([404, "/problems/dead-letter-not-found"]);
    expect(problem(await client.send("GET", `${LETTERS}/some`))).toEqual([400, "/problems/invalid-revision"]);
  });
});

describe("the list", () => {
  test("shows each letter once over all pages and partitions, whatever is settled meanwhile", async () => {
    const ids = [];
    for (let i = 0; i < 12; i += 1) ids.push(await park(`page-${i}`));
    const seen: string[] = [];
    let query = "limit=5";
    for (;;) {
      const { letters, cursor, complete } = await list(query);
      seen.push(...letters.map(({ id }) => id));
      if (complete) break;
      await client.send("DELETE", `${LETTERS}/${letters.at(-1)?.id}`, WAIT);
      query = `limit=5&cursor=${cursor}`;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(json(await client.send("GET", LETTERS))).toMatchObject({
      partitions: expect.arrayContaining([expect.objectContaining({ letters: expect.any(Number) })]),
    });
  });

  test("is narrowed by each filter", async () => {
    const first = await park("one/a");
    const second = await park("one/b");
    const ids = async (query: string) => (await list(query)).letters.map(({ id }) => id).toSorted();
    const both = [first, second].toSorted();
    const [ms = 0] = second.split("-").slice(1).map(Number);
    expect(await ids("namespace=n&key=one/a")).toEqual([first]);
    expect(await ids("key=one/b")).toEqual([second]);
    expect(await ids("prefix=one/")).toEqual(both);
    expect(await ids("namespace=other")).toEqual([]);
    expect(await ids("reason=not%20a%20value")).toEqual(both);
    expect(await ids("reason=nothing%20like%20it")).toEqual([]);
    expect(await ids(`partition=${first.slice(0, 2)}&key=one/a`)).toEqual([first]);
    expect(await ids(`since=${first}`)).toEqual(both);
    expect(await ids(`since=${new Date(ms + 1).toISOString()}`)).toEqual([]);
    expect(await ids(`until=${first}`)).toEqual([]);
    expect(await ids(`until=${new Date(ms + 1).toISOString()}`)).toEqual(both);
  });
});

describe("a replay", () => {
  test("is answered like the write it repeats, in the trace of that write, and the letter is gone", async () => {
    const traceparent = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const id = await park("again", "value", { traceparent });
    const answer = await replay(id);
    expect([answer.status, answer.headers.location]).toEqual([201, "/v1/kv/n/again"]);
    const revision = applied(answer).text;
    expect(revision).not.toBe(id);
    const value = await client.get("n", "again");
    expect([value.text, value.headers.etag, value.headers["content-type"]]).toEqual([
      "value",
      `"${revision}"`,
      "text/plain",
    ]);
    expect(json(await client.command(revision))).toMatchObject({
      status: "applied",
      operation: "put",
      replays: id,
      traceId: "1af7651916cd43dd8448eb211c80319c",
    });
    expect((await list()).letters).toEqual([]);
  });

  test("does not bring a deleted key back, unless it is forced", async () => {
    const id = await park("deleted");
    const deletion = applied(await client.remove("n", "deleted", WAIT)).text;
    const refused = await replay(id);
    expect(problem(refused)).toEqual([409, "/problems/newer-write"]);
    expect(refused.text).toContain(deletion);
    expect(json(await client.command(revisionOf(refused).text))).toMatchObject({
      status: "rejected",
      result: { reason: "newer-write", by: deletion },
    });
    expect((await client.get("n", "deleted")).status).toBe(404);
    expect((await replay(id, "?force=true")).status).toBe(201);
    expect((await client.get("n", "deleted")).text).toBe("old");
  });

  test("that fails again keeps the letter, and tells the first and the last error", async () => {
    const id = await park("stubborn");
    await store.redis.rpush(valueKey("stubborn"), "x");
    const failed = await replay(id);
    expect(problem(failed)).toEqual([422, "/problems/command-dead"]);
    expect(json(await client.send("GET", `${LETTERS}/${id}`))).toMatchObject({
      attempts: 2,
      reason: "the store holds something that is not a value of ours",
      lastReason: expect.stringContaining("WRONGTYPE"),
      lastReplay: revisionOf(failed).text,
    });
    await heal("stubborn");
  });

  test("keeps its condition, and is told when that is not met", async () => {
    const id = await park("create", "mine", { "if-none-match": "*" });
    await store.redis.set(valueKey("create"), "1-1\ttext/plain\nsomebody's");
    expect(problem(await replay(id))).toEqual([412, "/problems/precondition-failed"]);
    expect((await client.get("n", "create")).text).toBe("somebody's");
  });

  test("of what never was a command is refused, and it can be discarded", async () => {
    const log = readStore(stack.log, PARTITIONS);
    const entry = String(await log.redis.xadd(log.keys(2).log, "*", "foo", "bar"));
    const id = formatRevision(2, entry);
    expect(json(await client.command(id, 5))).toMatchObject({ status: "dead" });
    expect(problem(await replay(id))).toEqual([409, "/problems/dead-letter-not-replayable"]);
    const dry = await client.send("POST", `${LETTERS}/replay?partition=2&dry_run=true`);
    expect(json(dry)).toMatchObject({ counts: { "not-replayable": 1 } });
    expect((await client.send("DELETE", `${LETTERS}/${id}`, WAIT)).status).toBe(204);
    expect((await list()).letters).toEqual([]);
  });
});

describe("by filter", () => {
  test("a dry run shows what would become of each letter and changes nothing, and so it comes", async () => {
    const free = await park("many/free");
    const overtaken = await park("many/overtaken");
    const newer = applied(await client.put("n", "many/overtaken", "new", WAIT)).text;
    const stuck = await park("many/stuck");
    await poison("many/stuck");
    const before = await store.snapshot();
    const dry: { letters: unknown[] } = json(
      await client.send("POST", `${LETTERS}/replay?prefix=many/&dry_run=true`, WAIT),
    );
    expect(await store.snapshot()).toEqual(before);
    expect(dry).toMatchObject({ dryRun: true, matched: 3, counts: { apply: 1, yield: 1, fail: 1 }, complete: true });
    expect(dry.letters).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: free, status: "apply" }),
        expect.objectContaining({ id: overtaken, status: "yield", by: newer }),
        expect.objectContaining({ id: stuck, status: "fail", reason: expect.stringContaining("not a value") }),
      ]),
    );
    const real = await client.send("POST", `${LETTERS}/replay?prefix=many/`, WAIT);
    expect([real.status, real.headers["preference-applied"]]).toEqual([200, "wait=10"]);
    expect(json(real)).toMatchObject({ matched: 3, counts: { applied: 1, rejected: 1, dead: 1 } });
    expect((await client.get("n", "many/free")).text).toBe("old");
    expect((await client.get("n", "many/overtaken")).text).toBe("new");
    await heal("many/stuck");
  });

  test("a replay goes on by its cursor, page by page, and tells the new revisions", async () => {
    const keys = Array.from({ length: 7 }, (_, i) => `paged/${i}`);
    for (const key of keys) await park(key);
    let query = "prefix=paged/&limit=3";
    const revisions: string[] = [];
    for (let pages = 1; ; pages += 1) {
      const answer = await client.send("POST", `${LETTERS}/replay?${query}`);
      expect(answer.status).toBe(202);
      const page: { letters: { revision: string }[]; cursor: string; complete: boolean } = json(answer);
      revisions.push(...page.letters.map(({ revision }) => revision));
      query = `prefix=paged/&limit=3&cursor=${page.cursor}`;
      if (page.complete) {
        expect(pages).toBe(3);
        break;
      }
    }
    for (const revision of revisions)
      expect(json(await client.command(revision, 5))).toMatchObject({ status: "applied" });
    for (const key of keys) expect((await client.get("n", key)).text).toBe("old");
    expect((await list("prefix=paged/")).letters).toEqual([]);
  });

  test("a discard drops what it selects and nothing else, after a dry run that drops nothing", async () => {
    await park("drop/a");
    await park("drop/b");
    const kept = await park("keep");
    const dry = await client.send("DELETE", `${LETTERS}?prefix=drop/&dry_run=true`);
    expect(json(dry)).toMatchObject({ matched: 2, counts: { discard: 2 } });
    expect((await list()).letters).toHaveLength(3);
    const real = await client.send("DELETE", `${LETTERS}?prefix=drop/`, WAIT);
    expect(json(real)).toMatchObject({ matched: 2, counts: { applied: 2 } });
    expect((await list()).letters.map(({ id }) => id)).toEqual([kept]);
    expect((await client.get("n", "drop/a")).status).toBe(404);
  });
});

test("a partition with too many dead letters takes no writes until some are settled; the others do, and it tells", async () => {
  const id = await park("full");
  const partition = partitionOf("n", "full", PARTITIONS);
  const { letters } = store.keys(partition);
  await store.redis.hincrby(letters, "@bytes", LETTERS_MAX_BYTES);
  const refused = await waitFor(async () => {
    const answer = await client.put("n", "full", "x");
    return answer.status === 503 && answer;
  });
  expect(problem(refused)).toEqual([503, "/problems/dead-letters-full"]);
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  const other = ["a", "b", "c", "d", "e", "f"].find((key) => partitionOf("n", key, PARTITIONS) !== partition) ?? "";
  applied(await client.put("n", other, "x", WAIT));
  const metrics = await httpClient(stack.apis[0]?.opsUrl ?? "", { described: false }).send("GET", "/metrics");
  expect(metrics.text).toContain(`millrace_dead_letters{partition="${partition}"} 1\n`);
  expect((await client.send("DELETE", `${LETTERS}/${id}`, WAIT)).status).toBe(204);
  await store.redis.hset(letters, "@bytes", "0");
  await waitFor(async () => (await client.put("n", "full", "x")).status === 202);
});
