import { beforeAll, describe, expect, test } from "vitest";
import { eachOf, keepDoing } from "../harness/crowd.ts";
import { accepted, applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

interface Entry {
  readonly key: string;
  readonly revision: string;
  readonly size: number;
  readonly content_type: string;
  readonly expires_at?: number;
  readonly metadata?: unknown;
  readonly value?: string;
  readonly encoding?: string;
}

interface Page {
  readonly keys: readonly Entry[];
  readonly cursor: string | null;
  readonly list_complete: boolean;
}

let stack: Stack;
let clients: HttpClient[];
let client: HttpClient;

beforeAll(async () => {
  stack = await startStack({ apis: 2, partitions: 16 });
  clients = stack.apis.map(({ url }) => httpClient(url));
  client = clients[0] as HttpClient;
});

async function page(namespace: string, query: Record<string, string> = {}, by = client): Promise<Page> {
  const answer = await by.send("GET", `/v1/kv/${namespace}?${new URLSearchParams(query).toString()}`);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  expect(answer.headers["content-type"]).toBe("application/json");
  return JSON.parse(answer.text) as Page;
}

/** Every page until the last; each by the next API, so that every cursor is used at another one than gave it. */
async function pages(namespace: string, query: Record<string, string>, between?: () => Promise<void>): Promise<Page[]> {
  const all: Page[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const by = clients[all.length % clients.length];
    const next: Page = await page(namespace, { ...query, ...(cursor !== "" && { cursor }) }, by);
    expect(next.list_complete).toBe(next.cursor === null);
    all.push(next);
    cursor = next.cursor;
    await between?.();
  }
  return all;
}

const namesOf = (all: readonly Page[]) => all.flatMap(({ keys }) => keys.map(({ key }) => key));
const inBytes = (keys: readonly string[]) => keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const putAll = (namespace: string, keys: readonly string[]) =>
  eachOf(keys, 32, async (key) => void applied(await client.put(namespace, key, `value of ${key}`, WAIT)));

describe("a list", () => {
  test("of a namespace that nobody has written to is empty, not missing", async () => {
    expect(await page("nobody")).toEqual({ keys: [], cursor: null, list_complete: true });
    expect((await client.get("nobody", "k")).status).toBe(404);
  });

  test("has the keys of all partitions in byte order, page by page, whatever is in them", async () => {
    const odd = ["a b", "a/b/c", "a{b}c", "{}", "ü", "\uffee", "😀", "\ufeffbom", "100%", "a?b=c&d", "+", '"', "a#\\"];
    const keys = [...odd, ...Array.from({ length: 200 }, (_, i) => `{${i % 3}}/${i}`), ...odd.map((key) => `a${key}`)];
    await putAll("odd", keys);
    const sorted = inBytes([...new Set(keys)]);
    expect(namesOf([await page("odd", { limit: "1000" })])).toEqual(sorted);
    for (const limit of ["1", "7", "100"]) expect(namesOf(await pages("odd", { limit }))).toEqual(sorted);
    for (const prefix of ["a", "a{", "{1}/", "ü", "😀", "\ufeff", "100%", "a?b=", "b"]) {
      const found = sorted.filter((key) => key.startsWith(prefix));
      expect(namesOf(await pages("odd", { prefix, limit: "5" })), prefix).toEqual(found);
    }
  });

  test("of a pinned namespace is one of its one partition", async () => {
    const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
    await putAll("@pinned", keys);
    const all = await pages("@pinned", { limit: "20" });
    expect(namesOf(all)).toEqual(inBytes(keys));
    expect(new Set(all.flatMap((one) => one.keys.map(({ revision }) => revision.split("-")[0]))).size).toBe(1);
    expect(all.map(({ keys: { length } }) => length)).toEqual([20, 20, 10]);
  });

  test("tells what a read would, and hides what has expired", async () => {
    const metadata = '{"n":12345678901234567890}';
    const { text: revision } = applied(
      await client.send("PUT", "/v1/kv/told/k?ttl=1000", {
        headers: { ...WAIT.headers, "content-type": "image/png", "millrace-metadata": metadata },
        body: Buffer.from([0, 255, 10]),
      }),
    );
    const read = await client.get("told", "k");
    const { keys } = await page("told", { values: "true" });
    expect(keys).toEqual([
      {
        key: "k",
        revision,
        expires_at: Number(read.headers["millrace-expires-at"]),
        content_type: "image/png",
        size: 3,
        value: read.body.toString("base64"),
        encoding: "base64",
        metadata: JSON.parse(metadata),
      },
    ]);
    // It is accepted while its time is not over.
    const expiresMs = await waitFor(async () => {
      const atMs = Date.now() + 1_000;
      const query = `expires_at=${atMs / 1000}`;
      return (
        (await client.send("PUT", `/v1/kv/told/short?${query}`, { headers: WAIT.headers, body: "v" })).status < 300 &&
        atMs
      );
    });
    await waitFor(async () => (await page("told")).keys.length === 1, { what: "an expired key that is hidden" });
    expect(Date.now()).toBeGreaterThanOrEqual(expiresMs);
  });

  test("gives values bit by bit as they were written, long ones too, as many as a page may hold", async () => {
    const values = new Map<string, Buffer>([
      ["empty", Buffer.alloc(0)],
      ["text", Buffer.from("\ufefflines\r\nand\ttabs \u0000 ü 😀")],
      ["binary", Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
      ...Array.from({ length: 8 }, (_, i) => [`long-${i}`, Buffer.alloc(400_000, `${i}ü`)] as const),
      ["longest", Buffer.alloc(1024 * 1024, 0xfe)],
    ]);
    for (const [key, value] of values) applied(await client.put("bytes", key, value, WAIT));
    const all = await pages("bytes", { values: "true" });
    expect(all.length).toBeGreaterThan(2);
    expect(namesOf(all)).toEqual(inBytes([...values.keys()]));
    for (const { key, value = "", encoding, size } of all.flatMap(({ keys }) => keys)) {
      expect(values.get(key)?.equals(Buffer.from(value, encoding === "base64" ? "base64" : "utf8")), key).toBe(true);
      expect(size).toBe(values.get(key)?.byteLength);
    }
    expect((await page("bytes")).keys.every((entry) => entry.value === undefined)).toBe(true);
    expect((await page("bytes")).list_complete).toBe(true);
  });

  test("with the revision of a write has it, on any API, although nobody waited", async () => {
    for (let i = 0; i < 100; i += 1) {
      const [writer, reader] = i % 2 === 0 ? clients : clients.toReversed();
      const { text } = accepted(await (writer as HttpClient).put("mine", `k${i}`, "v"));
      const answer = await (reader as HttpClient).send("GET", `/v1/kv/mine?prefix=k${i}&limit=1`, {
        headers: { "millrace-min-revision": text, ...WAIT.headers },
      });
      expect((JSON.parse(answer.text) as Page).keys[0]).toMatchObject({ key: `k${i}`, revision: text });
    }
  });

  test.each([
    ["GET", "/v1/kv/n?limit=0", 400, "invalid-parameter"],
    ["GET", "/v1/kv/n?prefix=%ff", 400, "invalid-parameter"],
    ["GET", "/v1/kv/n?cursor=nonsense", 400, "invalid-cursor"],
    ["GET", "/v1/kv/n?sort=desc", 400, "unknown-parameter"],
    ["GET", "/v1/kv/n/", 400, "invalid-key"],
    ["GET", "/v1/kv/", 400, "invalid-namespace"],
    ["GET", "/v1/kv/@millrace", 400, "invalid-namespace"],
    ["PUT", "/v1/kv/n", 405, "method-not-allowed"],
    ["DELETE", "/v1/kv/n?prefix=a", 405, "method-not-allowed"],
  ])("%s %s: %i %s", async (method, path, status, slug) => {
    const answer = await client.send(method, path);
    expect(JSON.parse(answer.text)).toMatchObject({ status, type: `/problems/${slug}` });
    if (status === 405) expect(answer.headers.allow).toBe("GET, HEAD");
  });

  test("is told to HEAD without its body", async () => {
    const answer = await client.send("HEAD", "/v1/kv/odd");
    expect([answer.status, answer.body.byteLength]).toEqual([200, 0]);
  });
});

test("keys that exist throughout are listed once each, while others come and go, and APIs and Redis start anew", async () => {
  const stay = Array.from({ length: 600 }, (_, i) => `k/${i * 7}/stays`);
  const pass = Array.from({ length: 300 }, (_, i) => `k/${i * 13}/passes`);
  await putAll("busy", stay);
  const load = keepDoing(8, async (index) => {
    const key = pass[index % pass.length] as string;
    accepted(await client.put("busy", key, "v"));
    if (index % 3 === 0) accepted(await client.put("busy", stay[index % stay.length] as string, `again ${index}`));
    accepted(await client.remove("busy", key));
  });
  for (let round = 0; round < 10; round += 1) {
    const before = load.count;
    const listed = namesOf(await pages("busy", { prefix: "k/", limit: "50" }));
    expect(listed).toEqual(inBytes(listed));
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.filter((key) => key.endsWith("/stays"))).toEqual(inBytes(stay));
    await waitFor(() => load.count > before);
  }
  await load.stop();

  let restarts = 0;
  const listed = await pages("busy", { prefix: "k/", limit: "200" }, async () => {
    restarts += 1;
    if (restarts > 1) return;
    await stack.store.restart();
    await stack.apis[1]?.stop();
    const again = httpClient((await stack.addApi()).url);
    clients = [client, again];
    await waitFor(async () => (await Promise.all(clients.map((by) => page("busy", {}, by)))).length === 2, {
      what: "lists from both APIs",
    });
  });
  expect(namesOf(listed).filter((key) => key.endsWith("/stays"))).toEqual(inBytes(stay));
  expect(restarts).toBeGreaterThan(2);
});
