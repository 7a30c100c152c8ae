import { beforeAll, describe, expect, test } from "vitest";
import { applied, type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { inTime } from "../harness/in-time.ts";
import { JSON_BODY, setNamespace, untilInEffect } from "../harness/settings.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;
let stack: Stack;
let client: HttpClient;
beforeAll(async () => {
  stack = await startStack({ partitions: PARTITIONS, apis: 2 });
  client = httpClient(stack.url);
});

const path = (namespace: string) => `/v1/namespaces/${namespace}`;
const put = (namespace: string, settings: unknown, headers: Record<string, string> = {}) =>
  client.send("PUT", path(namespace), {
    headers: { ...JSON_BODY, ...WAIT.headers, ...headers },
    body: JSON.stringify(settings),
  });
const patch = (namespace: string, change: unknown, headers: Record<string, string> = {}) =>
  client.send("PATCH", path(namespace), {
    headers: { "content-type": "application/merge-patch+json", ...headers },
    body: JSON.stringify(change),
  });
const read = async (namespace: string) => {
  const answer = await client.send("GET", path(namespace));
  expect(answer.status).toBe(200);
  return { ...(JSON.parse(answer.text) as Record<string, unknown>), etag: answer.headers.etag };
};
const problemOf = ({ text }: { text: string }) => (JSON.parse(text) as { type: string }).type;

describe("settings of a namespace", () => {
  test("are created, read, replaced and changed, each under a revision", async () => {
    const created = await put("shop", { wait: 2, quota: { keys: 9 } });
    expect([created.status, created.headers.location]).toEqual([201, path("shop")]);
    expect(await read("shop")).toMatchObject({
      namespace: "shop",
      settings: { wait: 2, quota: { keys: 9 } },
      pinned: false,
      etag: `"${revisionOf(created).text}"`,
    });
    const replaced = await put("shop", { parking: "block" });
    expect(replaced.status).toBe(204);
    expect(await read("shop")).toMatchObject({ settings: { parking: "block" } });
    const changed = await patch("shop", { parking: null, wait: 3, quota: { bytes: 7 } });
    expect([changed.status, JSON.parse(changed.text)]).toEqual([200, { settings: { wait: 3, quota: { bytes: 7 } } }]);
    expect((await read("shop")).etag).toBe(changed.headers.etag);
    expect(changed.headers.etag).toBe(`"${revisionOf(changed).text}"`);
  });

  test("are written under conditions, as keys are", async () => {
    const first = applied(await put("careful", {}, { "if-none-match": "*" }));
    expect((await put("careful", {}, { "if-none-match": "*" })).status).toBe(412);
    expect((await patch("careful", {}, { "if-none-match": "*" })).status).toBe(412);
    const second = await patch("careful", { wait: 1 }, { "if-match": `"${first.text}"` });
    expect(second.status).toBe(200);
    for (const send of [put, patch]) {
      expect((await send("careful", { wait: 9 }, { "if-match": `"${first.text}"` })).status).toBe(412);
    }
    expect(await read("careful")).toMatchObject({ settings: { wait: 1 } });
    expect((await patch("never-made", { wait: 1 }, { "if-match": "*" })).status).toBe(412);
  });

  test("patches from everywhere at once are all in", async () => {
    await setNamespace(client, "busy", {});
    const changes = [{ wait: 1 }, { parking: "block" }, { quota: { keys: 5 } }, { quota: { bytes: 6 } }];
    for (const { status } of await Promise.all(changes.map((change) => patch("busy", change)))) {
      expect(status).toBe(200);
    }
    expect(await read("busy")).toMatchObject({ settings: { wait: 1, parking: "block", quota: { keys: 5, bytes: 6 } } });
  });

  test("without any, a namespace has the defaults and is there all the same; it tells how many keys it has", async () => {
    for (const key of ["a", "b", "c", "d", "e"]) applied(await client.put("free", key, "v", WAIT));
    expect(await read("free")).toMatchObject({
      settings: {},
      usage: { keys: 5, bytes: 10 },
      etag: undefined,
    });
    applied(await client.put("@tight", "k", "v", WAIT));
    const { partition } = revisionOf(await client.put("@tight", "k", "v", WAIT));
    expect(await read("@tight")).toMatchObject({ usage: { keys: 1, bytes: 2 }, pinned: true, partition });
  });

  test.each([
    ["no JSON", "{", "invalid-document", 400],
    ["an unknown setting", '{"waits":1}', "invalid-document", 400],
    ["a wait that is too long", '{"wait":31}', "invalid-document", 400],
    ["an array", "[]", "invalid-document", 400],
    ["too much of it", `{"wait":${" ".repeat(70_000)}1}`, "value-too-large", 413],
  ])("%s is refused, and what is there stays", async (_, body, slug, status) => {
    await setNamespace(client, "strict", { wait: 1 });
    const answer = await client.send("PUT", path("strict"), { headers: JSON_BODY, body });
    expect([answer.status, problemOf(answer)]).toEqual([status, `/problems/${slug}`]);
    expect(await read("strict")).toMatchObject({ settings: { wait: 1 } });
  });

  test("a document of another type, a patch that makes no settings and a name that is none are refused", async () => {
    const text = await client.send("PUT", path("strict"), { headers: { "content-type": "text/plain" }, body: "{}" });
    expect([text.status, problemOf(text)]).toEqual([415, "/problems/unsupported-media-type"]);
    expect((await patch("strict", { wait: "long" })).status).toBe(400);
    expect((await patch("strict", [])).status).toBe(400);
    for (const name of ["@millrace", "%40millrace", "-x", "a%2Fb", "n".repeat(65)]) {
      for (const answer of [await put(name, {}), await client.send("GET", path(name))]) {
        expect([answer.status, problemOf(answer)]).toEqual([400, "/problems/invalid-namespace"]);
      }
    }
    expect((await client.send("GET", `${path("strict")}?x=1`)).status).toBe(400);
    expect((await client.get("@millrace", "ns/strict")).status).toBe(400);
  });

  test("are listed page by page, each once", async () => {
    const names = ["list-a", "list-b", "list-c", "list-d", "@list-e"];
    for (const name of names) await setNamespace(client, name, { wait: 4 });
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const answer = await client.send("GET", `/v1/namespaces?limit=2${cursor && `&cursor=${cursor}`}`);
      const page = JSON.parse(answer.text) as {
        namespaces: { namespace: string; settings: object; revision: string }[];
        cursor: string | null;
        complete: boolean;
      };
      expect(page.namespaces.length).toBeLessThanOrEqual(2);
      expect(page.complete).toBe(page.cursor === null);
      seen.push(...page.namespaces.map(({ namespace }) => namespace));
      cursor = page.cursor;
    }
    expect(seen).toEqual(expect.arrayContaining(names));
    expect(seen).toEqual([...new Set(seen)].toSorted());
    for (const query of ["limit=0", "limit=251", "limit=x", "cursor=%20", "cursor=!", "sort=1"]) {
      expect((await client.send("GET", `/v1/namespaces?${query}`)).status).toBe(400);
    }
  });
});

describe("default waiting", () => {
  test("is in effect in every API process about a second after it is set; what the client prefers wins", async () => {
    const namespace = await inTime(3_000, async (before) => {
      const name = `waits-${before}`;
      expect((await client.put(name, "k", "v")).status).toBe(202);
      await setNamespace(client, name, { wait: 10 });
      await Promise.all(stack.apis.map(({ url }) => untilInEffect(url, name)));
      return name;
    });
    for (const { url } of stack.apis) {
      const api = httpClient(url);
      const waited = await api.put(namespace, "k", "v");
      expect([waited.status, waited.headers["preference-applied"]]).toEqual([204, undefined]);
      expect((await api.increment(namespace, "count")).status).toBe(200);
      const async = await api.put(namespace, "k", "v", { headers: { prefer: "respond-async" } });
      expect([async.status, async.headers["preference-applied"]]).toEqual([202, "respond-async"]);
      const own = await api.put(namespace, "k", "v", { headers: { prefer: "wait=9" } });
      expect([own.status, own.headers["preference-applied"]]).toEqual([204, "wait=9"]);
      expect((await api.put("others", "k", "v")).status).toBe(202);
    }
    await patch(namespace, { wait: 0 });
    await waitFor(async () => (await client.put(namespace, "k", "v")).status === 202);
  });
});

describe("a quota", () => {
  const status = async (key: string, value = "v") => (await client.put("small", key, value)).status;

  test("of keys is reached, refuses what might grow the namespace, lets deletes pass, and is free again after them", async () => {
    await setNamespace(client, "small", { quota: { keys: 10 } });
    let keys = 0;
    await waitFor(
      async () => {
        keys += 1;
        const answer = await client.put("small", `k${keys}`, "v");
        return answer.status === 403 && problemOf(answer) === "/problems/quota-exceeded";
      },
      { what: "the quota is reached" },
    );
    for (const { url } of stack.apis) {
      const api = httpClient(url);
      // Each process looks for itself, from the first write on.
      await waitFor(async () => (await api.put("small", "x", "v")).status === 403);
      expect((await api.increment("small", "n")).status).toBe(403);
      expect((await api.remove("small", "x", WAIT)).status).toBe(204);
    }
    expect(await status("x")).toBe(403);
    expect((await client.put("large", "x", "v")).status).toBe(202);
    const job = await client.send("POST", "/v1/jobs", {
      headers: JSON_BODY,
      body: JSON.stringify({ type: "delete", namespace: "small", prefix: "" }),
    });
    expect(job.status).toBe(202);
    await waitFor(async () => (await status("x")) === 202, { what: "the quota is free" });
  });

  test("of bytes counts keys and values", async () => {
    await setNamespace(client, "small-bytes", { quota: { bytes: 1_000 } });
    const big = await client.put("small-bytes", "key", "x".repeat(997), WAIT);
    applied(big);
    expect(await read("small-bytes")).toMatchObject({ usage: { keys: 1, bytes: 1_000 } });
    await waitFor(async () => (await client.put("small-bytes", "key", "x".repeat(997))).status === 403);
    applied(await client.remove("small-bytes", "key", WAIT));
    await waitFor(async () => (await client.put("small-bytes", "key", "x")).status === 202);
  });
});
