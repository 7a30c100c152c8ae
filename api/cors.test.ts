import { describe, expect, test } from "vitest";
import { startAccessLab } from "../tests/harness/access-lab.ts";
import { type Cors, corsOrigins } from "./cors.ts";

const OURS = "https://app.example";
const THEIRS = "https://evil.example";
const url = "http://h/v1/kv/n/a/1";
const token = { authorization: "Bearer a-all" };

async function ask(cors: Cors | null, method: string, headers: Record<string, string>, target = url) {
  const answer = await startAccessLab({ cors }).app.fetch(new Request(target, { method, headers }));
  return { status: answer.status, headers: Object.fromEntries(answer.headers) };
}
const allowed = ({ headers }: { headers: Record<string, string> }) => headers["access-control-allow-origin"];
const listed = corsOrigins.parse(`${OURS}, https://b.example:8443`);

describe("a page of another origin", () => {
  test("that is configured reads every answer, with all its headers, refusals too", async () => {
    for (const [path, extra, status] of [
      ["/v1/kv/n/a/1", token, 200],
      ["/v1/kv/n/b/1", token, 403],
      ["/v1/kv/n/a/1", {}, 401],
      ["/v1/nothing", token, 404],
      ["/v1/commands/03-10-1", token, 200],
    ] as const) {
      const answer = await ask(listed, "GET", { origin: OURS, ...extra }, `http://h${path}`);
      expect([answer.status, allowed(answer), answer.headers.vary]).toEqual([status, OURS, "Origin"]);
      expect(answer.headers["access-control-expose-headers"]).toBe("*");
      expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
    }
  });

  test("that is not configured is told nothing that would let it read, and caches are told why", async () => {
    for (const origin of [THEIRS, `${OURS}.evil.example`, "https://b.example", "http://app.example", "null", "*"]) {
      const answer = await ask(listed, "GET", { origin, ...token });
      expect([allowed(answer), answer.headers.vary]).toEqual([undefined, "Origin"]);
    }
    expect(allowed(await ask(null, "GET", { origin: OURS, ...token }))).toBeUndefined();
  });

  test("may be any, where that is configured, and never with cookies", async () => {
    const answer = await ask(corsOrigins.parse("*"), "GET", { origin: THEIRS, ...token });
    expect([allowed(answer), answer.headers["access-control-allow-credentials"]]).toEqual(["*", undefined]);
  });
});

describe("a browser that asks first", () => {
  const preflight = {
    "access-control-request-method": "PUT",
    "access-control-request-headers": "authorization,if-match",
  };

  test("is told the resource's methods, and that it may send its headers, without a token", async () => {
    const answer = await ask(listed, "OPTIONS", { origin: OURS, ...preflight });
    expect([answer.status, allowed(answer)]).toEqual([204, OURS]);
    expect(answer.headers["access-control-allow-methods"]).toBe("PUT, GET, HEAD, DELETE, PATCH, POST");
    expect(answer.headers["access-control-allow-headers"]).toBe("authorization,if-match");
    expect(Number(answer.headers["access-control-max-age"])).toBeGreaterThan(0);
  });

  test.each([
    ["of another origin", listed, { origin: THEIRS, ...preflight }],
    ["where nothing is configured", null, { origin: OURS, ...preflight }],
    ["without an origin", listed, preflight],
    ["but does not say for what", listed, { origin: OURS }],
  ])("%s is refused", async (_, cors, headers) => {
    const answer = await ask(cors, "OPTIONS", headers);
    expect([answer.status, answer.headers["access-control-allow-methods"]]).toEqual([405, undefined]);
  });
});

describe("where nobody needs a token", () => {
  const post = (headers: Record<string, string>, cors: Cors | null = null) =>
    startAccessLab({ cors, anonymous: true }).app.fetch(
      new Request("http://localhost:8080/v1/kv/n/a?increment=1", {
        method: "POST",
        headers: { host: "localhost:8080", ...headers },
      }),
    );

  test("a page of another origin cannot write by a form, though no browser asks before that", async () => {
    const answer = await post({ origin: THEIRS });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ type: "/problems/foreign-origin" });
    expect((await post({ origin: "null" })).status).toBe(403);
  });

  test("a page of our own may, one that is configured, and whoever is no page", async () => {
    expect((await post({ origin: "http://localhost:8080" })).status).toBe(202);
    expect((await post({ origin: OURS }, listed)).status).toBe(202);
    expect((await post({})).status).toBe(202);
  });

  test("everything is allowed, and what administers is in the audit log all the same", async () => {
    const lab = startAccessLab({ anonymous: true });
    expect((await lab.app.fetch(new Request("http://h/v1/partitions"))).status).toBe(200);
    expect((await lab.app.fetch(new Request("http://h/v1/kv/n/b/1"))).status).toBe(200);
    expect(lab.audits).toMatchObject([{ who: "anonymous", action: "GET /v1/partitions", status: 200 }]);
  });
});

test.each([
  "",
  "app.example",
  "https://app.example/",
  "https://app.example/path",
  "*,https://a.example",
  "null",
  "ftp://h",
])("'%s' is no list of origins", (text) => expect(corsOrigins.safeParse(text).success).toBe(false));
