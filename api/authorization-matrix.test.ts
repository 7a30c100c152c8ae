/**
 * Every route of the app x every kind of caller x a key of his own and another's: the answer, and that a refusal is the same
 * as for what does not exist, comes of the same calls, and of none at all where the path itself names the key.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { type AccessLab, startAccessLab } from "../tests/harness/access-lab.ts";
import { CALLERS, isAllowed, KEYS, type Kind, LINES } from "../tests/harness/authorization-lines.ts";
import { type RouteName, STATEMENTS } from "./statements.ts";

let lab: AccessLab;

beforeEach(() => {
  lab = startAccessLab();
});

interface Seen {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly calls: readonly string[];
}

async function ask(
  name: RouteName,
  path: string,
  token: string | null,
  more: Record<string, string> = {},
): Promise<Seen> {
  lab.calls.length = 0;
  const [method = ""] = name.split(" ");
  const { body: template, type } = LINES[name];
  const [target, key = ""] = path.split("#");
  const body = template?.replaceAll("<key>", key);
  const headers = {
    "x-request-id": "same",
    ...(token !== null && { authorization: `Bearer ${token}` }),
    ...(type && { "content-type": type }),
    ...more,
  };
  const answer = await lab.app.fetch(new Request(`http://h${target}`, { method, headers, ...(body && { body }) }));
  const seen = { status: answer.status, headers: Object.fromEntries(answer.headers), body: await bodyOf(answer) };
  return { ...seen, calls: [...lab.calls] };
}

/** A stream goes on for as long as somebody listens. */
async function bodyOf(answer: Response): Promise<string> {
  if (answer.headers.get("content-type") !== "text/event-stream") return answer.text();
  await answer.body?.cancel();
  return "";
}

const NAMES = Object.keys(LINES) as RouteName[];
const strangers = { nobody: null, unknown: "somebody-elses", expired: "outdated" } as const;

test("the app's own table, the statements and this matrix name the same routes", () => {
  const own = lab.routes.filter((route) => /^[A-Z]+ /.test(route)).toSorted();
  expect(own).toEqual(NAMES.toSorted());
  expect(Object.keys(STATEMENTS).toSorted()).toEqual(own);
});

describe.each(NAMES)("%s", (name) => {
  const line = LINES[name];

  test.each(Object.entries(strangers))(
    "%s is told nothing but to say who he is: 401, or all where that is open to everybody",
    async (_, token) => {
      const seen = await ask(name, line.path("a/1"), token);
      if (line.kind === "open") {
        expect(seen.status).toBe(line.allowed);
        return;
      }
      expect([seen.status, seen.calls]).toEqual([401, []]);
      expect(seen.headers["www-authenticate"]).toMatch(
        token === null ? /^Bearer realm="millrace"$/ : /^Bearer realm="millrace", error="invalid_token"$/,
      );
      expect(seen.body).not.toContain(token ?? "nothing");
      expect(await ask(name, line.path("none"), token)).toEqual(seen);
    },
  );

  test.each(Object.keys(CALLERS).flatMap((caller) => KEYS.map((key) => [caller, key] as const)))(
    "%s asks about %s",
    async (token, key) => {
      const caller = CALLERS[token] as Kind;
      const seen = await ask(name, line.path(key), token);
      if (isAllowed(line, caller, key)) {
        expect(seen.status).toBe(line.allowed);
        return;
      }
      if (line.kind === "entry") {
        // The same answer, after the same calls, as for what does not exist.
        expect(seen.status).toBe(404);
        expect(seen).toEqual(await ask(name, line.path("none"), token));
        return;
      }
      expect([seen.status, seen.calls]).toEqual([403, []]);
      expect(seen.headers["www-authenticate"]).toContain('error="insufficient_scope"');
      if (!isAllowed(line, caller, "a/1") && !isAllowed(line, caller, "b/1")) {
        expect(await ask(name, line.path("none"), token)).toEqual(seen);
      }
    },
  );

  test("is told to the audit log, allowed or refused, where it is for administrators, and only there", async () => {
    await ask(name, `${line.path("a/1")}${line.path("a/1").includes("?") ? "&" : "?"}secret=s3cret`, "everything-all");
    await ask(name, line.path("a/1"), "everything-all");
    await ask(name, line.path("a/1"), "a-read");
    await ask(name, line.path("a/1"), "somebody-elses");
    if (line.action !== "admin") {
      expect(lab.audits).toEqual([]);
      return;
    }
    const [path] = line.path("a/1").split("?");
    const said = { action: name, target: path, requestId: "same", address: null };
    expect(lab.audits).toMatchObject([
      { ...said, who: "everything-all", status: 400 },
      { ...said, who: "everything-all", status: line.allowed },
      { ...said, who: "a-read", status: line.kind === "entry" ? 404 : 403 },
      { ...said, who: null, status: 401 },
    ]);
    expect(JSON.stringify(lab.audits)).not.toMatch(/s3cret|somebody-elses/);
  });
});

describe("nothing is inferred of b/ by who may only a/:", () => {
  test("a wait for a command of b/ is not waited for", async () => {
    const seen = await ask("GET /v1/commands/{id}", "/v1/commands/03-10-2?wait=9", "a-all");
    expect(seen.status).toBe(404);
    expect(seen.calls).not.toContain("feed.wait");
  });

  test.each([
    ["a condition", { "if-none-match": "*" }],
    ["a revision", { "if-match": '"03-10-2"' }],
    ["a minimum revision", { "millrace-min-revision": "03-10-2" }],
    ["a preference", { prefer: "wait=9" }],
    ["a grade", { "millrace-grade": "disk" }],
    ["a method of one's own", { "x-http-method-override": "GET" }],
  ])("by %s", async (_, headers) => {
    for (const name of NAMES.filter((route) => LINES[route].kind === "key")) {
      const seen = await ask(name, LINES[name].path("b/1"), "a-all", headers);
      expect([seen.status, seen.calls]).toEqual([403, []]);
    }
  });

  test.each(["b%2F1", "%62/1", "a/%2e%2e/b/1", "a/..%2Fb/1", "a//../b/1", "A/1", "a", "a%2f..", "%61%2F%2E%2E%2Fb"])(
    "by another spelling: %s",
    async (spelled) => {
      const seen = await ask("GET /v1/kv/{namespace}/{key}", `/v1/kv/n/${spelled}`, "a-all");
      // What is one of a/ after all is read under that very name; what is none is refused before anybody looks.
      if (seen.status === 200) expect(decodeURIComponent(spelled).startsWith("a/")).toBe(true);
      else expect([seen.status < 500, seen.calls]).toEqual([true, []]);
    },
  );

  test("by HEAD, which needs what GET needs", async () => {
    const request = (key: string) =>
      new Request(`http://h/v1/kv/n/${key}`, { method: "HEAD", headers: { authorization: "Bearer a-all" } });
    expect((await lab.app.fetch(request("b/1"))).status).toBe(403);
    expect((await lab.app.fetch(request("a/1"))).status).toBe(200);
  });
});
