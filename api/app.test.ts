import { beforeEach, describe, expect, test } from "vitest";
import type { Command } from "../core/command.ts";
import { OperatingError } from "../core/errors.ts";
import { WATERMARK_ZERO } from "../core/functions/apply.ts";
import { IDLE } from "../tests/harness/idle-app.ts";
import { type App, createApp } from "./app.ts";
import type { AppDependencies } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import { fromRequest } from "./exchange.ts";
import { Repeats } from "./idempotency.ts";
import { RequestIds } from "./problem.ts";

const REVISION = "03-10-2";
/** A revision of every partition. */
const EVERYWHERE = Array.from({ length: 16 }, (_, partition) => `${String(partition).padStart(2, "0")}-10-2`).join();
const unavailable = () => Promise.reject(new OperatingError("store-unavailable", "internal: 10.0.0.7:6379"));
const unavailableStore = {
  read: unavailable,
  list: unavailable,
  outcome: unavailable,
  first: unavailable,
  watermark: unavailable,
  letters: unavailable,
  letter: unavailable,
  letterCounts: unavailable,
  foresee: unavailable,
  usage: unavailable,
};

let submitted: Command[];
let reported: unknown[];
let counted: string[];
let problems: string[];
let deps: AppDependencies;

beforeEach(() => {
  submitted = [];
  reported = [];
  counted = [];
  problems = [];
  deps = {
    ...IDLE,
    submit: async (_, command) => {
      submitted.push(command);
      return { partition: 3, id: "10-2", grade: "memory" };
    },
    log: { ...IDLE.log, find: async () => null, position: unavailable },
    replicas: { read: unavailable, list: unavailable },
    store: unavailableStore,
    feed: { wait: async () => ({ passed: false }) },
    losses: { find: async () => null, accept: async () => "not-lost", list: async () => [] },
    monitor: { report: async () => [], lastState: () => null },
    repeats: new Repeats({ first: async () => null }, () => false),
    requestIds: new RequestIds("p"),
    report: (error) => reported.push(error),
    countProblem: (slug) => problems.push(slug),
    counterOf: (route) => (status) => counted.push(`${route} ${status}`),
  };
});

const send = (app: App, method: string, path: string, headers: Record<string, string> = {}) =>
  app.fetch(new Request(`http://h${path}`, { method, headers, ...(method === "PUT" && { body: "v" }) }));

describe("a log that went back", () => {
  test("an id that the store has passed already is no proof that the command was applied: 202", async () => {
    const feed = { wait: async () => ({ passed: true }) as const };
    const store = { ...deps.store, outcome: async () => null };
    const floors = { ...deps.floors, floor: () => ({ id: "10-2", ordinal: 7 }) };
    expect(
      (await send(createApp({ ...deps, store, feed, floors }), "PUT", "/v1/kv/n/k", { prefer: "wait=5" })).status,
    ).toBe(202);
    expect((await send(createApp({ ...deps, store, feed }), "PUT", "/v1/kv/n/k", { prefer: "wait=5" })).status).toBe(
      200,
    );
  });
});

describe("a store that went back", () => {
  const stored = { id: "5-0", contentType: "text/plain", value: Buffer.from("old") };
  const reading = { watermark: { id: "9-0", ordinal: 9 }, stored };
  const feed = { wait: async () => ({ passed: false }) as const };
  const floors = { admit: () => false, floor: () => ({ id: "10-0", ordinal: 10 }) };

  test.each([
    ["an older value", reading],
    ["a key that is not there any more", { ...reading, stored: null }],
  ])("%s is not served: 503", async (_, read) => {
    const app = createApp({ ...deps, feed, floors, store: { ...deps.store, read: async () => read } });
    const answer = await send(app, "GET", "/v1/kv/n/k");
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ type: "/problems/partition-recovering" });
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  test("is waited for a little: healed in time, the read is answered", async () => {
    const healed = { ...reading, watermark: { id: "10-0", ordinal: 10 } };
    let reads = 0;
    const read = async () => (++reads === 1 ? reading : healed);
    const waits = { wait: async () => ({ passed: true }) as const };
    const app = createApp({ ...deps, feed: waits, floors, store: { ...deps.store, read } });
    expect((await send(app, "GET", "/v1/kv/n/k")).status).toBe(200);
  });
});

describe("one partition", () => {
  const accept = (app: App, path: string) => send(app, "POST", `/v1/partitions/${path}`);

  test.each(["16", "01", "-1", "x", "3.0", "99999"])("%s is none: 404", async (partition) => {
    expect((await send(createApp(deps), "GET", `/v1/partitions/${partition}`)).status).toBe(404);
    expect((await accept(createApp(deps), `${partition}/accept-loss?confirm=x`)).status).toBe(404);
  });

  test("a loss is accepted only by its own name, given once", async () => {
    const given: string[] = [];
    const losses = {
      ...deps.losses,
      accept: async (_: number, confirm: string) => {
        given.push(confirm);
        return confirm === "it" ? ("accepted" as const) : ("changed" as const);
      },
    };
    const app = createApp({ ...deps, losses });
    for (const query of ["", "?confirm=", "?confirm=it&confirm=it", "?confirm=it&force=1"]) {
      expect((await accept(app, `3/accept-loss${query}`)).status).toBe(400);
    }
    expect(given).toEqual([]);
    expect((await accept(app, "3/accept-loss?confirm=other")).status).toBe(409);
    expect((await accept(createApp(deps), "3/accept-loss?confirm=it")).status).toBe(409);
    expect((await accept(app, "3/accept-loss?confirm=it")).status).toBe(200);
    expect((await send(app, "GET", "/v1/partitions/3/accept-loss")).status).toBe(405);
  });
});

describe("a write that was accepted is never told as a failure", () => {
  test.each([
    ["too many wait already", { wait: () => Promise.reject(new OperatingError("overloaded", "")) }],
    ["the store goes away before the outcome is read", { wait: async () => ({ passed: true }) as const }],
    ["the time is over", { wait: async () => ({ passed: false }) as const }],
  ])("%s: 202", async (_, feed) => {
    const answer = await send(createApp({ ...deps, feed }), "PUT", "/v1/kv/n/k", { prefer: "wait=5" });
    expect(submitted).toHaveLength(1);
    expect(answer.status).toBe(202);
    expect(answer.headers.get("location")).toBe(`/v1/commands/${REVISION}`);
    expect(answer.headers.get("preference-applied")).toBe("wait=5");
  });

  test("an error of ours is told as one, without its text", async () => {
    const feed = { wait: () => Promise.reject(new Error("secret")) };
    const answer = await send(createApp({ ...deps, feed }), "PUT", "/v1/kv/n/k", { prefer: "wait=5" });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("secret");
    expect(reported).toHaveLength(1);
  });
});

describe("at a bound the answer is 503 with Retry-After and a type that names it, counted:", () => {
  const overloaded = () => Promise.reject(new OperatingError("overloaded", "internal"));
  const refusing = (slug: "backlog-full" | "log-full") => ({
    admit: () => {
      throw new ProblemError(slug, "Nothing was accepted.");
    },
  });
  const store = { ...unavailableStore, read: async () => ({ watermark: WATERMARK_ZERO, stored: null }) };
  test.each([
    ["the backlog", "backlog-full", "PUT", "/v1/kv/n/k", { admission: refusing("backlog-full") }],
    ["the log's memory", "log-full", "PUT", "/v1/kv/n/k", { admission: refusing("log-full") }],
    ["commands that wait for the log", "overloaded", "PUT", "/v1/kv/n/k", { submit: overloaded }],
    ["reads that wait for a revision", "overloaded", "GET", "/v1/kv/n/k", { store, feed: { wait: overloaded } }],
  ] as const)("%s: %s", async (_, slug, method, path, change) => {
    const app = createApp({ ...deps, now: Date.now, ...change });
    const answer = await send(app, method, path, method === "GET" ? { "millrace-min-revision": EVERYWHERE } : {});
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await answer.json()).toMatchObject({ type: `/problems/${slug}` });
    expect(submitted).toEqual([]);
    expect(problems).toEqual([slug]);
  });
});

describe("a path means what it says", () => {
  test.each([
    // Decoded before routing, it would reach the handlers at another offset than they read it from.
    ["/v1/k%76/n/k", 404],
    ["/%76%31/kv/n/k", 404],
    ["/v1/command%73/03-10-2", 404],
    ["/v1/kv", 405],
    ["/v1/kv/n", 405],
    ["/v1/kv/n?x=a/b", 405],
    ["/v1/kv/n/", 400],
    ["/v1/kv/%6e/k", 400],
    ["/v1/kv/n/a%0ab", 400],
    ["/v1/kv/n/%ff", 400],
  ])("PUT %s: %i, and nothing is written", async (path, status) => {
    expect((await send(createApp(deps), "PUT", path)).status).toBe(status);
    expect(submitted).toEqual([]);
  });
});

test.each([
  ["/v1/kv/n", 200, "/v1/kv/{namespace}"],
  ["/v1/kv/n?prefix=a/b", 200, "/v1/kv/{namespace}"],
  ["/v1/kv/n/?prefix=a", 400, "/v1/kv/{namespace}/{key}"],
  ["/v1/kv/n/a?prefix=/", 400, "/v1/kv/{namespace}/{key}"],
  ["/v1/kv/", 400, "/v1/kv/{namespace}"],
])("GET %s is answered %i by %s, through a router and past it", async (target, status, route) => {
  const list = async () => ({ watermark: WATERMARK_ZERO, keys: [], reached: null });
  const app = createApp({ ...deps, store: { ...deps.store, list } });
  expect((await send(app, "GET", target)).status).toBe(status);
  expect((await app.answerKey(fromRequest(new Request(`http://h${target}`)))).status).toBe(status);
  expect(counted).toEqual(Array(2).fill(`GET ${route} ${status}`));
});

describe("problems", () => {
  test("tell nothing internal, cannot be cached, and name the request", async () => {
    const answer = await send(createApp(deps), "GET", "/v1/kv/n/k", { "x-request-id": "mine-1" });
    expect(answer.status).toBe(503);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "retry-after": "1",
      "x-content-type-options": "nosniff",
      "x-request-id": "mine-1",
    });
    expect(await answer.json()).toEqual({
      type: "/problems/store-unavailable",
      title: "The store does not answer now",
      status: 503,
      requestId: "mine-1",
    });
    expect(reported).toEqual([]);
  });

  test("name a request by a name of ours when the client's is not safe to repeat", async () => {
    const answer = await send(createApp(deps), "GET", "/nothing", { "x-request-id": "a b" });
    expect(answer.headers.get("x-request-id")).toBe("p-1");
  });

  test("a method that a resource does not have is told which it has", async () => {
    const answer = await send(createApp(deps), "QUERY", "/v1/kv/n/k");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "PUT, GET, HEAD, DELETE, PATCH, POST"]);
    expect(counted).toEqual(["/v1/kv/{namespace}/{key} 405"]);
  });
});

describe("every answer can be found again:", () => {
  test("it repeats the name that the client gave its request", async () => {
    const answer = await send(createApp(deps), "PUT", "/v1/kv/n/k", { "x-request-id": "mine-2" });
    expect([answer.status, answer.headers.get("x-request-id")]).toEqual([202, "mine-2"]);
  });

  test.each(["a b", "a\tb", "ü", "a,b", "x".repeat(129), ""])(
    "%j is no name to repeat: it gets one of ours",
    async (name) => {
      const answer = await send(createApp(deps), "PUT", "/v1/kv/n/k", { "x-request-id": name });
      expect([answer.status, answer.headers.get("x-request-id")]).toEqual([202, "p-1"]);
    },
  );

  test("without one, each has a name of its own, whatever the answer and the way to it", async () => {
    const app = createApp(deps);
    const ways = [
      "PUT /v1/kv/n/k",
      "GET /v1/partitions",
      "GET /problems",
      "GET /nothing",
      "PUT /problems",
      "GET /v1/kv/n/k",
    ];
    const requests = ways.map((way) => way.split(" "));
    const answers = await Promise.all(requests.map(async ([method = "", path = ""]) => send(app, method, path)));
    expect(answers.map(({ status }) => status)).toEqual([202, 200, 200, 404, 405, 503]);
    const { headers } = await app.answerKey(fromRequest(new Request("http://h/v1/kv/n/k", { method: "DELETE" })));
    const names = [...answers.map((answer) => answer.headers.get("x-request-id")), headers["X-Request-Id"]];
    expect(new Set(names)).toEqual(new Set(["p-1", "p-2", "p-3", "p-4", "p-5", "p-6", "p-7"]));
  });
});

test("a store that went back is not asked without end for a revision that it had", async () => {
  let reads = 0;
  const store = {
    ...deps.store,
    read: async () => {
      reads += 1;
      return { watermark: WATERMARK_ZERO, stored: null };
    },
  };
  // The feed has heard of the revision before the store went back.
  const app = createApp({ ...deps, store, feed: { wait: async () => ({ passed: true }) }, now: Date.now });
  const headers = { "millrace-min-revision": EVERYWHERE, prefer: "wait=1" };
  expect((await send(app, "GET", "/v1/kv/n/k", headers)).status).toBe(503);
  expect(reads).toBeLessThan(60);
});
