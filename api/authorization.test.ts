import { describe, expect, test } from "vitest";
import { isAllowed, type Need, type Scope, scopesSchema } from "./authorization.ts";
import type { Incoming } from "./exchange.ts";
import { ofKey, ofNamespace, ofPrefix, ofSome, type Statement } from "./need.ts";

const scope = (namespaces: string[], prefix: string, actions: Scope["actions"] = ["read"]): Scope => ({
  namespaces,
  prefix,
  actions,
});
const key = (namespace: string, name: string): Need => ({ action: "read", namespace, key: name });
const under = (namespace: string, prefix: string): Need => ({ action: "read", namespace, prefix });
const everything: Need = { action: "read", everything: true };
const some = (namespace: string): Need => ({ action: "read", namespace, some: true });

describe("a scope allows", () => {
  test.each<[string, Scope, Need, boolean]>([
    ["a key that begins with its prefix", scope(["n"], "a/"), key("n", "a/b"), true],
    ["the prefix itself", scope(["n"], "a/"), key("n", "a/"), true],
    ["not the prefix without its slash", scope(["n"], "a/"), key("n", "a"), false],
    ["not what begins with it but for the slash", scope(["n"], "a/"), key("n", "ab"), false],
    ["by a prefix without a slash, all that begins so", scope(["n"], "a"), key("n", "ab"), true],
    ["not another case", scope(["n"], "a/"), key("n", "A/b"), false],
    ["not the same in another normal form", scope(["n"], "é"), key("n", "e\u0301"), false],
    ["nothing that is encoded", scope(["n"], "a/"), key("n", "a%2Fb"), false],
    ["by an empty prefix, all keys", scope(["n"], ""), key("n", "z"), true],
    ["a narrower prefix", scope(["n"], "a/"), under("n", "a/b"), true],
    ["its own prefix", scope(["n"], "a/"), under("n", "a/"), true],
    ["no wider prefix", scope(["n"], "a/"), under("n", "a"), false],
    ["not all keys", scope(["n"], "a/"), under("n", ""), false],
    ["by an empty prefix, the empty prefix", scope(["n"], ""), under("n", ""), true],
    ["no other namespace", scope(["n"], ""), key("m", "a"), false],
    ["no namespace that begins like it", scope(["n"], ""), key("nn", "a"), false],
    ["namespaces that begin so", scope(["logs-*"], ""), key("logs-1", "a"), true],
    ["of these not the one without the dash", scope(["logs-*"], ""), key("logs", "a"), false],
    ["and not the pinned one", scope(["logs-*"], ""), key("@logs-1", "a"), false],
    ["a pinned namespace by its name", scope(["@orders"], ""), key("@orders", "a"), true],
    ["not the one that is not pinned", scope(["@orders"], ""), key("orders", "a"), false],
    ["all pinned ones", scope(["@*"], ""), key("@orders", "a"), true],
    ["by * pinned ones too", scope(["*"], ""), key("@orders", "a"), true],
    ["no other action", scope(["n"], "", ["write"]), key("n", "a"), false],
    ["admin is no way to read", scope(["n"], "", ["admin"]), key("n", "a"), false],
    [
      "any action, where any is asked for",
      scope(["n"], "", ["admin"]),
      { action: "any", namespace: "n", key: "a" },
      true,
    ],
    ["everything only by * and no prefix", scope(["*"], ""), everything, true],
    ["not everything by a prefix", scope(["*"], "a"), everything, false],
    ["not everything by a beginning of names", scope(["a*", "@*"], ""), everything, false],
    ["some key of its namespaces", scope(["n"], "a/"), some("n"), true],
    ["no key of others", scope(["n"], "a/"), some("m"), false],
    [
      "nothing of Millrace's own data",
      scope(["*", "@millrace"], "", ["read", "write"]),
      key("@millrace", "ns/n"),
      false,
    ],
    ["but to who administers everything", scope(["*"], "", ["admin"]), key("@millrace", "ns/n"), true],
    ["and not to who administers parts", scope(["@millrace", "@*"], "", ["admin"]), key("@millrace", "ns/n"), false],
  ])("%s", (_, one, need, allowed) => {
    expect(isAllowed([one], need)).toBe(allowed);
    // Whatever else a caller may, and in whichever order.
    const other = scope(["elsewhere"], "", ["read", "write", "admin"]);
    expect(isAllowed([other, one, other], need)).toBe(allowed);
  });

  test("nothing, where there is none", () => {
    for (const need of [key("n", "a"), under("n", ""), everything, some("n")]) expect(isAllowed([], need)).toBe(false);
  });

  test("nothing together with another one that neither of them allows", () => {
    const scopes = [scope(["n"], "a/", ["read"]), scope(["n"], "b/", ["write"]), scope(["m"], "", ["read"])];
    expect(isAllowed(scopes, { action: "write", namespace: "n", key: "a/1" })).toBe(false);
    expect(isAllowed(scopes, key("n", "b/1"))).toBe(false);
  });
});

describe("what a request needs is read as its handler reads it:", () => {
  const needOf = ({ need }: Statement, target: string) => need?.({ target } as Incoming);

  test.each([
    ["/v1/kv/n/a%2Fb", "a/b"],
    ["/v1/kv/n/a/b", "a/b"],
    ["/v1/kv/n/%61/b", "a/b"],
    ["/v1/kv/n/a%252Fb", "a%2Fb"],
    ["/v1/kv/n/b/a%2F..%2Fc", "b/a/../c"],
    ["/v1/kv/n/%C3%A9", "é"],
    ["/v1/kv/n/a?prefix=b", "a"],
  ])("%s is the key %s", (target, decoded) => {
    expect(needOf(ofKey("write"), target)).toEqual({ action: "write", namespace: "n", key: decoded });
  });

  test.each(["/v1/kv/n/a/../b", "/v1/kv/n/a/%2e%2e/b", "/v1/kv/%6e/a", "/v1/kv/n/%ff", "/v1/kv/n"])(
    "%s is none, before anything is asked",
    (target) => expect(() => needOf(ofKey("read"), target)).toThrow(),
  );

  test.each([
    ["/v1/kv/n?prefix=a%2F", "a/"],
    ["/v1/kv/n?prefix=a/", "a/"],
    ["/v1/kv/n?prefix=a+b", "a b"],
    ["/v1/kv/n?limit=5", ""],
    ["/v1/kv/n", ""],
  ])("%s is the prefix '%s'", (target, prefix) => {
    expect(needOf(ofPrefix("read", "/v1/kv/"), target)).toEqual({ action: "read", namespace: "n", prefix });
  });

  test("a prefix that is given twice is none", () => {
    expect(() => needOf(ofPrefix("read", "/v1/kv/"), "/v1/kv/n?prefix=a/&prefix=b/")).toThrow();
  });

  test("a namespace is the path's, never the query's", () => {
    const namespace = ofNamespace("admin", "/v1/namespaces/");
    expect(needOf(namespace, "/v1/namespaces/n?namespace=m")).toEqual({ action: "admin", namespace: "n", prefix: "" });
    expect(needOf(ofSome("write", "/v1/batch/"), "/v1/batch/n/")).toMatchObject({ namespace: "n", some: true });
    for (const bad of ["/v1/namespaces/", "/v1/namespaces/%6e", "/v1/namespaces/*"]) {
      expect(() => needOf(namespace, bad)).toThrow();
    }
  });
});

test.each([
  { namespaces: ["a*b"], prefix: "", actions: ["read"] },
  { namespaces: ["a/b"], prefix: "", actions: ["read"] },
  { namespaces: [""], prefix: "", actions: ["read"] },
  { namespaces: [], prefix: "", actions: ["read"] },
  { namespaces: ["a"], actions: ["read"] },
  { namespaces: ["a"], prefix: "\ud800", actions: ["read"] },
  { namespaces: ["a"], prefix: "", actions: [] },
  { namespaces: ["a"], prefix: "", actions: ["delete"] },
  { namespaces: ["a"], prefix: "", actions: ["read"], deny: true },
])("%j is no scope", (given) => {
  expect(scopesSchema.safeParse([given]).success).toBe(false);
});
