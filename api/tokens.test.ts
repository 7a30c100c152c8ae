import { describe, expect, test } from "vitest";
import { apiConfigSchema } from "./config.ts";
import { counterOfAddress, describeCount, rateLimit } from "./rate-limits.ts";
import { parseTokens } from "./tokens.ts";

const scopes = [{ namespaces: ["orders"], prefix: "a/", actions: ["read"] }];
const token = (name: string, digit: string, more: object = {}) => ({ name, sha256: digit.repeat(64), scopes, ...more });

describe("a tokens file", () => {
  test("names its principals by the digest of their tokens", () => {
    const limit = { requests: 5, seconds: 1 };
    const expires = "2026-01-31T12:00:00Z";
    const tokens = parseTokens(JSON.stringify({ tokens: [token("ci", "a"), token("web", "b", { limit, expires })] }));
    const [ci, web] = [tokens.get("a".repeat(64)), tokens.get("b".repeat(64))];
    expect(ci).toMatchObject({ name: "token:ci", limit: null, expiresMs: Number.POSITIVE_INFINITY });
    expect(web).toMatchObject({ name: "token:web", limit, expiresMs: Date.parse(expires) });
    expect(ci?.may({ action: "read", namespace: "orders", key: "a/1" })).toBe(true);
    expect(ci?.may({ action: "read", namespace: "orders", key: "b/1" })).toBe(false);
  });

  test("tells all its faults at once, and nothing of what stands in it", () => {
    const tokens = [
      token("has space", "a"),
      token("twice", "b"),
      token("twice", "c"),
      token("same", "b"),
      { ...token("short", "d"), sha256: "secret" },
      token("late", "e", { expires: "tomorrow-secret" }),
      token("limit", "f", { limit: { requests: 0, seconds: 1 } }),
      token("none", "1", { scopes: [{ namespaces: ["n"], prefix: "", actions: ["fly-secret"] }] }),
      token("more", "2", { secret: "secret" }),
    ];
    let said = "";
    try {
      parseTokens(JSON.stringify({ tokens }));
    } catch (error) {
      said = String(error);
    }
    for (const place of [
      "0.name",
      "2.name",
      "3.sha256",
      "4.sha256",
      "5.expires",
      "6.limit",
      "7.scopes.0.actions",
      "8",
    ]) {
      expect(said).toContain(`tokens.${place}`);
    }
    expect(said.replace('"secret"', "")).not.toContain("secret");
  });

  test.each(["", "{", "[]", "null", '{"tokens":{}}', '{"token":[]}'])("is not %s", (text) => {
    expect(() => parseTokens(text)).toThrow("MILLRACE_TOKENS_FILE");
  });
});

describe("who is let in is configured", () => {
  const urls = { LOG_URL: "redis://h", STORE_URL: "redis://h" };
  const jwt = { MILLRACE_JWKS_URL: "https://h/jwks", MILLRACE_JWT_ISSUER: "i", MILLRACE_JWT_AUDIENCE: "a" };
  const open = { MILLRACE_HOST: "0.0.0.0" };
  const anonymous = { MILLRACE_ALLOW_ANONYMOUS: "true" };
  const file = { MILLRACE_TOKENS_FILE: "/tokens.json" };
  test.each([
    ["nothing: on loopback", {}, true],
    ["nothing: beyond loopback", open, false],
    ["in so many words: beyond loopback", { ...open, ...anonymous }, true],
    ["by tokens: beyond loopback", { ...open, ...file }, true],
    ["by JWTs: beyond loopback", { ...open, ...jwt }, true],
    ["by tokens, and everybody all the same", { ...file, ...anonymous }, false],
    ["by JWTs, and everybody all the same", { ...jwt, ...anonymous }, false],
    ["by JWTs for anybody", { ...jwt, MILLRACE_JWT_AUDIENCE: undefined }, false],
    ["by JWTs of anybody", { ...jwt, MILLRACE_JWT_ISSUER: undefined }, false],
    ["by keys that are nowhere", { ...jwt, MILLRACE_JWKS_URL: undefined }, false],
    ["by keys in a file", { ...jwt, MILLRACE_JWKS_URL: "file:///etc/passwd" }, false],
  ])("%s", (_, config, valid) => {
    expect(apiConfigSchema.safeParse({ ...urls, ...config }).success).toBe(valid);
  });
});

describe("a rate limit", () => {
  test.each([
    ["1000/1s", { requests: 1000, seconds: 1 }],
    ["5/2m", { requests: 5, seconds: 120 }],
    ["7/1h", { requests: 7, seconds: 3600 }],
  ])("%s", (text, limit) => expect(rateLimit.parse(text)).toEqual(limit));

  test.each(["0/1s", "1/0s", "1/2h", "1", "1/s", "1.5/1s", "-1/1s", "1/1d", " 1/1s"])("is not %s", (text) => {
    expect(rateLimit.safeParse(text).success).toBe(false);
  });

  test("is told as lists of structured fields", () => {
    const count = { admitted: true, remaining: 7, resetMs: 1001 };
    expect(describeCount("default", { requests: 10, seconds: 5 }, count)).toEqual({
      RateLimit: '"default";r=7;t=2',
      "RateLimit-Policy": '"default";q=10;w=5',
    });
  });

  test.each([
    ["10.0.0.7", "10.0.0.7"],
    ["::ffff:10.0.0.7", "10.0.0.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::9", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    [null, "unknown"],
  ])("of the address %s is that of %s", (address, counter) => {
    expect(counterOfAddress(address)).toBe(`address:${counter}`);
  });
});
