import { beforeAll, describe, expect, test } from "vitest";
import { JWKS_COOLDOWN_MS, JWKS_TIMEOUT_MS, JWT_CLOCK_TOLERANCE_S } from "../../core/access-limits.ts";
import { applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { type JwksServer, newKey, type SigningKey, signJwt, startJwksServer } from "../harness/jwks-server.ts";
import type { ApiProcess } from "../harness/process.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { bearer, newToken, newTokensFile, scope, tokenEntry } from "../harness/tokens.ts";
import { waitFor } from "../harness/wait-for.ts";

const SCOPES = [scope("n", "a/", "read", "write")];
const PLAIN = newToken();
const ALGORITHMS = ["RS256", "PS256", "ES384", "EdDSA"];

let key: SigningKey;
/** One of each other kind. */
let others: readonly SigningKey[];
let issuer: JwksServer;
let stack: Stack;
let api: ApiProcess;
let client: HttpClient;

beforeAll(async () => {
  key = await newKey("first");
  others = await Promise.all(ALGORITHMS.map((alg) => newKey(alg, alg)));
  issuer = await startJwksServer(key, ...others);
  const file = await newTokensFile(tokenEntry("plain", PLAIN, SCOPES));
  stack = await startStack({ apis: 0, env: { ...issuer.env, ...file.env } });
  api = await stack.addApi();
  client = httpClient(api.url);
});

const ask = (token: string, path = "/v1/kv/n/a/1") => client.send("GET", path, { headers: bearer(token) });
const statusOf = async (token: string, path?: string) => (await ask(token, path)).status;
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");

describe("a JWT of the issuer's", () => {
  test("may what its scopes say, beside the tokens of the file", async () => {
    const token = await signJwt(key, { scopes: SCOPES });
    applied(await client.put("n", "a/1", "v", { headers: { ...WAIT.headers, ...bearer(token) } }));
    expect([await statusOf(token), await statusOf(PLAIN), await statusOf(token, "/v1/kv/n/b/1")]).toEqual([
      200, 200, 403,
    ]);
  });

  test.each(ALGORITHMS)("may be signed by %s", async (alg) => {
    const other = others.find((one) => one.alg === alg);
    expect(other && (await statusOf(await signJwt(other, { scopes: SCOPES })))).toBe(200);
  });

  test("without scopes allows nothing", async () => {
    expect(await statusOf(await signJwt(key))).toBe(403);
  });
});

describe("401, and nothing about why it was close, to", () => {
  const forged = () => ({ kid: "first", alg: "HS256", privateKey: Buffer.from(JSON.stringify(key.jwk)) });
  const unsigned = (alg: string, signature = "") => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const claims = { iss: "https://issuer.test", aud: "millrace", sub: "s", exp, millrace: SCOPES };
    return `${encode({ alg, kid: "first" })}.${encode(claims)}.${signature}`;
  };
  test.each<[string, () => Promise<string> | string]>([
    ["another audience", () => signJwt(key, { scopes: SCOPES, aud: "another" })],
    ["another issuer", () => signJwt(key, { scopes: SCOPES, iss: "https://issuer.test.evil" })],
    ["one that has expired", () => signJwt(key, { scopes: SCOPES, expiresInS: -JWT_CLOCK_TOLERANCE_S - 1 })],
    ["one that never expires", () => signJwt(key, { scopes: SCOPES, expiresInS: null })],
    ["one of nobody", () => signJwt(key, { scopes: SCOPES, sub: null })],
    ["no signature (alg none)", () => unsigned("none")],
    ["no signature (alg None)", () => unsigned("None")],
    ["no signature, said to be there", () => unsigned("ES256")],
    ["a secret that is the public key (HS256)", () => signJwt(forged(), { scopes: SCOPES })],
    ["another's key under this name", async () => signJwt({ ...(await newKey("first")) }, { scopes: SCOPES })],
    ["a key that nobody serves", async () => signJwt(await newKey("unknown"), { scopes: SCOPES })],
    ["scopes that are none", () => signJwt(key, { scopes: [{ namespaces: "*" }] })],
    ["scopes that are everything", () => signJwt(key, { scopes: "*" })],
    ["what is none", () => "a.b.c"],
  ])("%s", async (_, token) => {
    const answer = await ask(await token());
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="millrace", error="invalid_token"');
    expect(answer.text).not.toMatch(/iss|aud|kid|alg|key/);
  });
});

test("one that expires while it is in use is let in no longer", async () => {
  // Within the tolerance of clocks it has a second left, or what the machine needs.
  const inUse = async (leftS: number): Promise<string> => {
    const token = await signJwt(key, { scopes: SCOPES, expiresInS: leftS - JWT_CLOCK_TOLERANCE_S });
    return (await statusOf(token)) === 401 ? inUse(leftS + 1) : token;
  };
  const token = await inUse(1);
  await waitFor(async () => (await statusOf(token)) === 401);
});

describe("keys are changed without a restart:", () => {
  test("a new one is found by its name, and what an old one signed is forgotten with it", async () => {
    const old = await signJwt(key, { scopes: SCOPES });
    expect(await statusOf(old)).toBe(200);
    const next = await newKey("second");
    issuer.serve(next);
    const token = await signJwt(next, { scopes: SCOPES });
    await waitFor(async () => (await statusOf(token)) === 200);
    expect(await statusOf(old)).toBe(401);
    issuer.serve(key, next);
    await waitFor(async () => (await statusOf(old)) === 200);
  });

  test("names that nobody knows cost the issuer no more than a fetch each few seconds", async () => {
    const tokens = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => signJwt({ ...key, kid: `invented-${index}` }, { scopes: SCOPES })),
    );
    const before = issuer.asked;
    const startMs = performance.now();
    expect(new Set(await Promise.all(tokens.map((token) => statusOf(token))))).toEqual(new Set([401]));
    const cooldowns = Math.floor((performance.now() - startMs) / JWKS_COOLDOWN_MS);
    expect(issuer.asked - before).toBeLessThanOrEqual(1 + cooldowns);
  });
});

describe.each(["fails", "hangs"] as const)("while the issuer %s,", (how) => {
  test("keys that are known go on being used, and an unknown one is told to come again: 503, in time", async () => {
    const known = await signJwt(key, { scopes: SCOPES });
    expect(await statusOf(known)).toBe(200);
    issuer.behave(how);
    const unknown = await newKey(`while-${how}`);
    const token = await signJwt(unknown, { scopes: SCOPES });
    // What was fetched a moment ago is the truth: 401 until then.
    const asked = await waitFor(async () => {
      const startMs = performance.now();
      const answer = await ask(token);
      return answer.status === 401 ? undefined : { answer, ms: performance.now() - startMs };
    });
    expect(asked.answer.status).toBe(503);
    expect(Number(asked.answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(asked.answer.text)).toMatchObject({ type: "/problems/keys-unavailable" });
    expect(asked.ms).toBeLessThan(JWKS_TIMEOUT_MS + 8000);
    // Also one that was not seen before.
    expect(await statusOf(await signJwt(key, { scopes: SCOPES, sub: "another" }))).toBe(200);
    expect(await statusOf(known)).toBe(200);
    expect(await statusOf(PLAIN)).toBe(200);
    issuer.behave("answers");
    issuer.serve(key, unknown);
    await waitFor(async () => (await statusOf(token)) === 200);
  });
});

test("an API that starts while the issuer is away serves tokens of the file, and JWTs when it is back", async () => {
  issuer.behave("fails");
  const late = httpClient((await stack.addApi()).url);
  const get = async (token: string) => (await late.send("GET", "/v1/kv/n/a/1", { headers: bearer(token) })).status;
  const token = await signJwt(key, { scopes: SCOPES });
  expect([await get(PLAIN), await get(token)]).toEqual([200, 503]);
  issuer.behave("answers");
  await waitFor(async () => (await get(token)) === 200);
});

test("no JWT is in the log", () => {
  expect(api.logs().join("\n")).not.toContain("eyJ");
});
