import { request } from "node:http";
import { beforeAll, describe, expect, test } from "vitest";
import { type Answer, type HttpClient, httpClient } from "../harness/http.ts";
import { type RedisProxy, startProxy } from "../harness/proxy.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { bearer, newToken, newTokensFile, scope, tokenEntry } from "../harness/tokens.ts";
import { waitFor } from "../harness/wait-for.ts";

const ALL = [scope("*", "", "read", "write", "admin")];
const READ = "/v1/kv/n/a";
/** Longer than any test: what is counted in one stays counted. */
const SECONDS = 3600;

const statuses = (answers: readonly Answer[]) => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};
const times = <Given>(count: number, ask: (index: number) => Promise<Given>) =>
  Promise.all(Array.from({ length: count }, (_, index) => ask(index)));

describe("a limit of a token", () => {
  const [TEN, OTHER, REFUSED, WINDOW, FROZEN, AWAY] = Array.from({ length: 6 }, newToken);
  let stack: Stack;
  let log: RedisProxy;
  let clients: HttpClient[];

  beforeAll(async () => {
    const limited = (name: string, token = "", requests = 10, seconds = SECONDS, scopes = ALL) =>
      tokenEntry(name, token, scopes, { limit: { requests, seconds } });
    const file = await newTokensFile(
      limited("ten", TEN),
      limited("other", OTHER),
      limited("refused", REFUSED, 10, SECONDS, []),
      limited("window", WINDOW, 2, 1),
      limited("frozen", FROZEN),
      limited("away", AWAY),
    );
    stack = await startStack({
      apis: 2,
      env: file.env,
      reach: async (servers) => {
        log = await startProxy(servers.log);
        return { log };
      },
    });
    clients = stack.apis.map(({ url }) => httpClient(url));
  });

  const ask = (index: number, token = "", path = READ) =>
    (clients[index % 2] as HttpClient).send("GET", path, { headers: bearer(token) });

  test("is shared by two API processes, and every answer says what is left; who is over it is told when to come again", async () => {
    const answers = await times(30, (index) => ask(index, TEN));
    expect(statuses(answers)).toEqual({ 404: 10, 429: 20 });
    const left = answers.filter(({ status }) => status === 404).map(({ headers }) => String(headers.ratelimit));
    for (let remaining = 0; remaining < 10; remaining += 1) {
      expect(left.filter((text) => text.startsWith(`"token";r=${remaining};t=`))).toHaveLength(1);
    }
    for (const { status, headers, text } of answers) {
      expect(headers["ratelimit-policy"]).toBe(`"token";q=10;w=${SECONDS}`);
      if (status !== 429) continue;
      expect(headers.ratelimit).toMatch(/^"token";r=0;t=\d+$/);
      expect(Number(headers["retry-after"])).toBeGreaterThan(0);
      expect(JSON.parse(text)).toMatchObject({ type: "/problems/rate-limited" });
    }
    // Of another token there is as much as before, on routes of every kind.
    expect((await ask(0, OTHER)).headers.ratelimit).toMatch(/^"token";r=9;/);
    expect((await ask(1, OTHER, "/v1/partitions")).headers.ratelimit).toMatch(/^"token";r=8;/);
  });

  test("counts what is refused, too", async () => {
    expect(statuses(await times(15, (index) => ask(index, REFUSED)))).toEqual({ 403: 10, 429: 5 });
  });

  test("begins anew with the next window", async () => {
    await times(6, (index) => ask(index, WINDOW));
    await waitFor(async () => (await ask(0, WINDOW)).status === 404);
  });

  test("is kept by each process alone while the log's Redis is frozen: no answer is late, and none is an error", async () => {
    expect((await ask(0, FROZEN)).headers.ratelimit).toMatch(/;r=9;/);
    log.freeze();
    try {
      const startMs = performance.now();
      const answers = await times(30, (index) => ask(index, FROZEN));
      // Several times what is allowed: whoever waited for the frozen one's answer would wait until it is awake.
      expect(performance.now() - startMs).toBeLessThan(8_000);
      // Each counts for itself from here on.
      expect(statuses(answers)).toEqual({ 404: 20, 429: 10 });
    } finally {
      log.thaw();
    }
  });

  test("is kept by each process alone while the log's Redis is away, and by all together when it is back", async () => {
    await log.refuse();
    log.cutAll();
    const answers = await times(12, () => ask(0, AWAY));
    expect(statuses(answers)).toEqual({ 404: 10, 429: 2 });
    await log.accept();
    // Nobody has counted there yet.
    const answer = await waitFor(async () => {
      const next = await ask(1, AWAY);
      return next.headers.ratelimit?.includes(";r=9;") ? next : undefined;
    });
    expect(answer.status).toBe(404);
    await waitFor(async () => (await ask(0, AWAY)).status === 404);
  });
});

describe("the limit of everybody", () => {
  test("is one for each address where nobody has a token", async () => {
    const stack = await startStack({ apis: 2, env: { MILLRACE_RATE_LIMIT: "10/1h" } });
    const clients = stack.apis.map(({ url }) => httpClient(url));
    const answers = await times(20, (index) => (clients[index % 2] as HttpClient).send("GET", READ));
    expect(statuses(answers)).toEqual({ 404: 10, 429: 10 });
    expect(answers[0]?.headers["ratelimit-policy"]).toBe('"default";q=10;w=3600');
    // Health and metrics are asked for on a port of their own.
    expect((await fetch(`${stack.apis[0]?.opsUrl}/healthz/ready`)).status).toBe(200);
    // Another address has its own.
    const { hostname: host, port } = new URL(stack.url);
    const status = await new Promise((resolve, reject) => {
      const outgoing = request({ host, port, path: READ, localAddress: "127.0.0.2" }, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      });
      outgoing.once("error", reject);
      outgoing.end();
    });
    expect(status).toBe(404);
  });

  test("is one for each token without its own, and one for the address of whoever guesses", async () => {
    const [one, two] = [newToken(), newToken()];
    const file = await newTokensFile(tokenEntry("one", one, ALL), tokenEntry("two", two, ALL));
    const stack = await startStack({ env: { ...file.env, MILLRACE_RATE_LIMIT: "5/1h" } });
    const client = httpClient(stack.url);
    const ask = (token: string) => client.send("GET", READ, { headers: bearer(token) });
    expect(statuses(await times(8, () => ask(newToken())))).toEqual({ 401: 5, 429: 3 });
    expect(statuses(await times(8, () => ask(one)))).toEqual({ 404: 5, 429: 3 });
    expect(statuses(await times(5, () => ask(two)))).toEqual({ 404: 5 });
  });
});
