import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { partitionOf } from "../../core/partition.ts";
import { type Answer, applied, type HttpClient, httpClient, revisionOf, WAIT } from "../harness/http.ts";
import type { ApiProcess } from "../harness/process.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { bearer, newToken, newTokensFile, scope, type TokensFile, tokenEntry } from "../harness/tokens.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;
const [A, B, ROOT, EXPIRED] = [newToken(), newToken(), newToken(), newToken()];
const ALL = ["read", "write", "admin"];
const OTHER_ROOT = newToken();
const entries = [
  tokenEntry("a", A, [scope("n", "a/", ...ALL)]),
  tokenEntry("b", B, [scope("n", "b/", ...ALL)]),
  tokenEntry("root", ROOT, [scope("*", "", ...ALL)]),
  tokenEntry("expired", EXPIRED, [scope("*", "", ...ALL)], { expires: "2020-01-01T00:00:00Z" }),
  tokenEntry("other-root", OTHER_ROOT, [scope("*", "", ...ALL)]),
];

let file: TokensFile;
let stack: Stack;
let api: ApiProcess;
let client: HttpClient;

beforeAll(async () => {
  file = await newTokensFile(...entries);
  stack = await startStack({ partitions: PARTITIONS, apis: 0, env: file.env });
  // Beyond loopback it listens, because there are tokens.
  api = await stack.addApi({ env: { ...file.env, MILLRACE_HOST: "0.0.0.0" } });
  client = httpClient(api.url);
});

beforeEach(() => file.write(...entries));

const send = (
  token: string | null,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
) =>
  client.send(method, path, {
    headers: { "x-request-id": "same", ...headers, ...(token !== null && bearer(token)) },
    ...(body !== undefined && { body }),
  });
const statusOf = async (token: string) => (await send(token, "GET", "/v1/kv/n/a/1")).status;
/** All of an answer but its time. */
const tell = ({ status, text, headers }: Answer) => ({ status, text, headers: { ...headers, date: "" } });

/** A dead letter on a key. @returns its id */
async function park(key: string): Promise<string> {
  const store = readStore(stack.store, PARTITIONS);
  const valueKey = store.keys(partitionOf("n", key, PARTITIONS)).value("n", key);
  await store.redis.set(valueKey, "rubbish");
  const answer = await send(ROOT, "PUT", `/v1/kv/n/${key}`, WAIT.headers, "v");
  expect(answer.status).toBe(422);
  await store.redis.del(valueKey);
  return revisionOf(answer).text;
}

describe("a token for a/", () => {
  test("does its own work, and is refused the rest, whether it exists or not, with one and the same answer", async () => {
    const put = await send(A, "PUT", "/v1/kv/n/a/1", WAIT.headers, "v");
    const own = applied(put).text;
    expect((await send(A, "GET", "/v1/kv/n/a%2F1")).text).toBe("v");
    expect(JSON.parse((await send(A, "GET", `/v1/commands/${own}`)).text)).toMatchObject({ key: "a/1" });
    applied(await send(B, "PUT", "/v1/kv/n/b/1", WAIT.headers, "v"));
    for (const method of ["GET", "HEAD", "PUT", "DELETE", "POST"]) {
      const query = method === "POST" ? "?increment=1" : "";
      const there = tell(await send(A, method, `/v1/kv/n/b/1${query}`));
      expect(there.status).toBe(403);
      expect(tell(await send(A, method, `/v1/kv/n/b/2${query}`))).toEqual(there);
      expect((await send(A, method, `/v1/kv/n/a${query}`)).status).toBe(403);
      expect((await send(A, method, `/v1/kv/m/a/1${query}`)).status).toBe(403);
    }
    expect(JSON.parse((await send(A, "GET", "/v1/kv/n?prefix=a/")).text)).toMatchObject({ keys: [{ key: "a/1" }] });
    for (const prefix of ["", "?prefix=", "?prefix=a", "?prefix=b/", "?prefix=A/"]) {
      expect((await send(A, "GET", `/v1/kv/n${prefix}`)).status).toBe(403);
      expect((await send(A, "GET", `/v1/watch/n${prefix}`)).status).toBe(403);
    }
    for (const path of [
      "/v1/partitions",
      "/v1/partitions/0",
      "/v1/dead-letters",
      "/v1/dead-letters?namespace=n&prefix=a/",
    ]) {
      expect((await send(A, "GET", path)).status).toBe(403);
      expect((await send(ROOT, "GET", path)).status).toBe(200);
    }
  });

  test("is told of a command of b/ what it is told of none, and at once", async () => {
    const foreign = applied(await send(B, "PUT", "/v1/kv/n/b/command", WAIT.headers, "v"));
    const path = (id: string) => `/v1/commands/${String(foreign.partition).padStart(2, "0")}-${id}`;
    const [ms = ""] = foreign.id.split("-");
    const none = tell(await send(A, "GET", path(`${ms}-987654`)));
    expect(none.status).toBe(404);
    expect(tell(await send(A, "GET", path(foreign.id)))).toEqual(none);
    expect(tell(await send(A, "GET", `${path(foreign.id)}?wait=30`))).toEqual(none);
    expect((await send(B, "GET", path(foreign.id))).status).toBe(200);
  });

  test("is told of a dead letter of b/ what it is told of none, also when it is settled", async () => {
    const [own, foreign] = [await park("a/dead"), await park("b/dead")];
    const none = foreign.replace(/\d+$/, "987654");
    const calls = [
      ["GET", ""],
      ["POST", "/replay"],
      ["DELETE", ""],
    ] as const;
    const probe = async () => {
      for (const [method, rest] of calls) {
        const answer = tell(await send(A, method, `/v1/dead-letters/${none}${rest}`));
        expect(answer.status).toBe(404);
        expect(tell(await send(A, method, `/v1/dead-letters/${foreign}${rest}`))).toEqual(answer);
      }
    };
    await probe();
    applied(await send(B, "DELETE", `/v1/dead-letters/${foreign}`, WAIT.headers));
    await probe();
    expect((await send(ROOT, "GET", `/v1/dead-letters/${foreign}`)).status).toBe(410);
    expect((await send(A, "GET", `/v1/dead-letters/${own}`)).status).toBe(200);
    applied(await send(A, "POST", `/v1/dead-letters/${own}/replay`, WAIT.headers));
  });
});

test("an Idempotency-Key for settings is its caller's alone: another's is no repeat", async () => {
  const write = (token: string) =>
    send(
      token,
      "PUT",
      "/v1/namespaces/idempotent",
      { "content-type": "application/json", "idempotency-key": '"k"', ...WAIT.headers },
      "{}",
    );
  const first = applied(await write(ROOT));
  expect(applied(await write(ROOT)).text).toBe(first.text);
  const other = await write(OTHER_ROOT);
  expect(other.headers["idempotent-replayed"]).toBeUndefined();
  expect(applied(other).text).not.toBe(first.text);
});

test("without a token, with a wrong one, or one that has expired: 401, which says how and not why", async () => {
  const none = await send(null, "GET", "/v1/kv/n/a/1");
  expect([none.status, none.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="millrace"']);
  for (const authorization of [
    `Bearer ${newToken()}`,
    `Bearer ${EXPIRED}`,
    "Bearer",
    "Basic YTpi",
    `Bearer ${A} ${A}`,
  ]) {
    const answer = await client.send("GET", "/v1/kv/n/a/1", { headers: { authorization } });
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([
      401,
      'Bearer realm="millrace", error="invalid_token"',
    ]);
  }
  expect((await client.send("GET", "/v1/kv/n/a/1", { headers: { authorization: `bearer  ${A}` } })).status).not.toBe(
    401,
  );
});

describe("tokens are changed without a restart:", () => {
  test("one that is new is let in, one that is gone is not", async () => {
    const next = newToken();
    expect([await statusOf(next), await statusOf(B)]).toEqual([401, 403]);
    await file.write(...entries.filter(({ name }) => name !== "b"), tokenEntry("next", next, [scope("n", "", "read")]));
    await waitFor(async () => (await statusOf(next)) !== 401);
    expect(await statusOf(B)).toBe(401);
  });

  test("who watches by one that is gone is told nothing more: his stream ends", async () => {
    await waitFor(async () => (await statusOf(B)) === 403);
    const watch = (token: string) => fetch(`${api.url}/v1/watch/n?prefix=b/`, { headers: bearer(token) });
    expect((await watch(A)).status).toBe(403);
    const [doomed, lasting] = [await watch(B), await watch(ROOT)];
    let ended = false;
    const text = doomed.text().then((all) => {
      ended = true;
      return all;
    });
    const put = (value: string) => send(ROOT, "PUT", "/v1/kv/n/b/watched", WAIT.headers, value);
    applied(await put("before"));
    await file.write(...entries.filter(({ name }) => name !== "b"));
    await waitFor(async () => (await statusOf(B)) === 401);
    await waitFor(async () => {
      applied(await put("after"));
      return ended;
    });
    const events = (all: string) => all.split("\n").filter((line) => line.startsWith("data:")).length;
    const seen = events(await text);
    expect(seen).toBeGreaterThanOrEqual(1);
    await lasting.body?.cancel();
  });

  test("also behind a link that leads elsewhere, as Kubernetes mounts it", async () => {
    const dir = dirname(file.path);
    const next = newToken();
    await mkdir(join(dir, "2"));
    await writeFile(join(dir, "2", "tokens.json"), JSON.stringify({ tokens: [tokenEntry("n", next, [])] }));
    await symlink(join("2", "tokens.json"), join(dir, "link"));
    await rename(join(dir, "link"), file.path);
    await waitFor(async () => (await statusOf(next)) === 403);
  });

  test.each([
    ["not JSON", '{"tokens": ['],
    ["without a digest", JSON.stringify({ tokens: [{ ...entries[0], sha256: "s3cret" }] })],
    ["empty", ""],
  ])("a file that is %s is kept out, told loudly once, and those before it go on being valid", async (_, content) => {
    await waitFor(async () => (await statusOf(B)) === 403);
    const before = api.logs().length;
    await file.replace(content);
    const said = () =>
      api
        .logs()
        .slice(before)
        .filter((line) => line.includes("tokens file cannot be used"));
    await waitFor(() => said().length > 0);
    expect(await statusOf(A)).not.toBe(401);
    expect(said().join()).toContain('"level":"error"');
    expect(said().join()).not.toContain("s3cret");
    const next = newToken();
    await file.write(...entries, tokenEntry("next", next, [scope("n", "", "read")]));
    await waitFor(async () => (await statusOf(next)) !== 401);
    expect(said()).toHaveLength(1);
  });

  test("a file that is gone changes nothing, and is read when it is back", async () => {
    await waitFor(async () => (await statusOf(B)) === 403);
    await rm(file.path);
    await api.waitForLog("ENOENT");
    expect(await statusOf(B)).toBe(403);
    await file.write(...entries.slice(2));
    await waitFor(async () => (await statusOf(B)) === 401);
  });
});

test("admin actions are in the log, allowed or refused, with who and what; no token is, nor a value", async () => {
  await waitFor(async () => (await statusOf(B)) === 403);
  const headers = { "x-request-id": "audited-1" };
  await send(ROOT, "GET", "/v1/dead-letters?namespace=n", headers);
  await send(A, "POST", "/v1/partitions/0/accept-loss?confirm=x", { "x-request-id": "audited-2" });
  await send(newToken(), "DELETE", "/v1/dead-letters?all=true", { "x-request-id": "audited-3" });
  await send(A, "PUT", "/v1/kv/n/a/1", {}, "the-value");
  await api.waitForLog("audited-3");
  const lines = api.logs().filter((line) => line.includes('"audit":true'));
  const line = (id: string) => JSON.parse(lines.find((one) => one.includes(id)) ?? "null");
  expect(line("audited-1")).toMatchObject({
    level: "info",
    who: "token:root",
    action: "GET /v1/dead-letters",
    query: "namespace=n",
    status: 200,
    address: "127.0.0.1",
  });
  expect(line("audited-2")).toMatchObject({ who: "token:a", target: "/v1/partitions/0/accept-loss", status: 403 });
  expect(line("audited-3")).toMatchObject({ who: null, action: "DELETE /v1/dead-letters", status: 401 });
  const said = api.logs().join("\n");
  for (const secret of [A, B, ROOT, EXPIRED, "the-value", ...entries.map(({ sha256 }) => sha256)]) {
    expect(said).not.toContain(secret);
  }
});
