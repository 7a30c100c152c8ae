import { describe, expect, test } from "vitest";
import { TRANSACTION_MAX_KEYS, TRANSACTION_MAX_PATCHES, TTL_MAX_S } from "../core/limits.ts";
import { partitionOf } from "../core/partition.ts";
import { ProblemError } from "./errors.ts";
import { parseTransaction } from "./transaction.ts";

const PARTITIONS = 16;
const NOW_MS = 1_000_000;
const HOME = String(partitionOf("@n", "", PARTITIONS)).padStart(2, "0");

const parse = (text: string, namespace = "@n") =>
  parseTransaction(Buffer.from(text), { namespace, partitions: PARTITIONS, nowMs: NOW_MS });
const written = (operations: unknown, conditions: unknown = []) =>
  `{"if":${JSON.stringify(conditions)},"then":${JSON.stringify(operations)}}`;
const put = (key: string) => ({ op: "put", key, value: "" });
const nested = (levels: number): unknown => (levels === 0 ? {} : { in: nested(levels - 1) });

function refusal(text: string, namespace?: string): ProblemError {
  try {
    parse(text, namespace);
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("what is no transaction is refused, with the place of what is wrong:", () => {
  const op = (more: object) => written([put("a"), { op: "put", key: "k", value: "", ...more }]);
  const condition = (more: object) =>
    written(
      [],
      [
        { key: "a", exists: true },
        { key: "k", ...more },
      ],
    );
  test.each<[what: string, text: string, detail: string, at?: string]>([
    ["no JSON", "{", "not a JSON text"],
    ["no object", "[]", "expected object"],
    ["nothing to do", "{}", "neither conditions nor operations"],
    ["a member that is not known", '{"then":[],"else":[]}', "else"],
    ["an operation that is not known", written([{ op: "copy", key: "a" }]), "/then/0/op"],
    ["an operation without a key", written([{ op: "delete" }]), "/then/0/key"],
    ["a member of another operation", written([{ op: "delete", key: "a", value: "" }]), "/then/0"],
    ["two operations of one key", written([put("a"), put("b"), put("a")]), "/then/0 and /then/2 are of one key"],
    ["an empty key", written([put("")]), "The key is empty.", "/then/0"],
    ["a key with a control character", written([], [{ key: "a\nb", exists: true }]), "control", "/if/0"],
    ["a key that is no Unicode text", '{"then":[{"op":"delete","key":"\\ud800"}]}', "Unicode", "/then/0"],
    ["a key that is too long", written([put("k".repeat(1025))]), "1024", "/then/0"],
    ["a value that is no Unicode text", '{"then":[{"op":"put","key":"a","value":"\\ud800"}]}', "Unicode", "/then/0"],
    ["a value that is no base64", op({ value: "é", encoding: "base64" }), "base64", "/then/1"],
    ["an encoding that is not known", op({ encoding: "hex" }), "/then/1/encoding"],
    ["a content type with a line feed", op({ content_type: "a\nb" }), "ASCII", "/then/1"],
    ["a value that is said twice", op({ json: 1 }), "/then/1: Give one of value and json."],
    ["an encoding of JSON", written([{ op: "put", key: "a", json: 1, encoding: "text" }]), "/then/0: encoding"],
    ["no value", written([{ op: "put", key: "a" }]), "/then/0: Give one of value and json."],
    ["base64 without its padding", op({ value: "AA", encoding: "base64" }), "padding", "/then/1"],
    ["metadata that is too long", op({ metadata: "x".repeat(1024) }), "1024", "/then/1"],
    ["a time to live of nothing", op({ ttl: 0 }), "ttl", "/then/1"],
    ["a time to live beyond the bound", op({ ttl: TTL_MAX_S + 1 }), "ttl", "/then/1"],
    ["a time to live in fractions", op({ ttl: 1.5 }), "ttl", "/then/1"],
    ["a moment that has passed", op({ expires_at: NOW_MS / 1000 }), "has passed", "/then/1"],
    ["two expiries", op({ ttl: 1, keep_ttl: true }), "one of", "/then/1"],
    ["a step that is no integer", written([{ op: "increment", key: "a", by: "1.5" }]), "64 bits", "/then/0"],
    ["a step beyond 64 bits", written([{ op: "increment", key: "a", by: "9223372036854775808" }]), "64", "/then/0"],
    ["a step that a number rounds", '{"then":[{"op":"increment","key":"a","by":9007199254740993}]}', "/then/0/by"],
    ["no patch", written([{ op: "patch", key: "a" }]), "/then/0/patch: is missing"],
    ["a patch that is nested too deep", written([{ op: "patch", key: "a", patch: nested(200) }]), "", "/then/0"],
    ["a key that no path can name", written([{ op: "delete", key: ".." }]), "path", "/then/0"],
    ["a condition of nothing", condition({}), "Give one of"],
    ["a condition of two things", condition({ exists: true, value: "" }), "Give one of"],
    ["an encoding of no value", condition({ exists: true, encoding: "text" }), "encoding"],
    ["a revision that is none", condition({ revision: "12" }), "revision", "/if/1"],
    ["a revision of no partition", condition({ revision: "99-1-1" }), "revision", "/if/1"],
  ])("%s", (_, text, detail, at) => {
    const error = refusal(text);
    expect(error.slug).toBe("invalid-transaction");
    expect(error.message).toContain(detail);
    if (at !== undefined) expect(error.members.at).toBe(at);
  });
});

test("at most so many keys, conditions, operations and patches; exactly so many are taken", () => {
  const keys = Array.from({ length: TRANSACTION_MAX_KEYS + 1 }, (_, index) => `k${index}`);
  const puts = keys.map(put);
  const looks = keys.map((key) => ({ key, exists: true }));
  const patches = keys.map((key) => ({ op: "patch", key, patch: {} }));
  const max = (list: readonly unknown[], more = 0) => list.slice(0, TRANSACTION_MAX_KEYS + more);
  expect(parse(written(max(puts), max(looks))).transaction.steps).toHaveLength(TRANSACTION_MAX_KEYS);
  expect(parse(written(patches.slice(0, TRANSACTION_MAX_PATCHES))).transaction.steps).toHaveLength(8);
  for (const text of [
    written(puts),
    written([], looks),
    written(max(puts), [{ key: "other", exists: true }]),
    written(patches.slice(0, TRANSACTION_MAX_PATCHES + 1)),
  ]) {
    expect(refusal(text).slug).toBe("invalid-transaction");
  }
});

test("a revision of another partition can never be a key's: asked for it is a 412, and not to be it says nothing", () => {
  const elsewhere = `${String((Number(HOME) + 1) % PARTITIONS).padStart(2, "0")}-7-7`;
  expect(refusal(written([], [{ key: "a", revision: elsewhere }]))).toMatchObject({
    slug: "precondition-failed",
    members: { at: "/if/0", key: "a" },
  });
  expect(parse(written([], [{ key: "a", not_revision: elsewhere }])).transaction.conditions).toEqual([
    { key: "a", kind: "none-match", id: "0-0" },
  ]);
  expect(parse(written([], [{ key: "a", revision: `${HOME}-7-7` }])).transaction.conditions).toEqual([
    { key: "a", kind: "match", id: "7-7" },
  ]);
});

test("keys of several partitions are told with where they are; a tag, or a pinned namespace, brings them together", () => {
  const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
  const error = refusal(written(keys.map(put)), "n");
  expect(error.slug).toBe("cross-partition");
  expect(error.message).toContain(`"k0" in ${partitionOf("n", "k0", PARTITIONS)}`);
  expect(error.message.length).toBeLessThan(600);
  expect(parse(written(keys.map((key) => put(`{t}${key}`))), "n").partition).toBe(partitionOf("n", "{t}", PARTITIONS));
  expect(parse(written(keys.map(put))).partition).toBe(Number(HOME));
  // A key that is only looked at counts, too.
  expect(
    refusal(
      written(
        [put("k0")],
        [
          { key: "k1", exists: true },
          { key: "k2", exists: true },
        ],
      ),
      "n",
    ).slug,
  ).toBe("cross-partition");
});

describe("operations are read as a batch reads them:", () => {
  const read = (operation: string) => {
    const said = parse(`{"if":[], "then" : [${JSON.stringify(put("other"))} ,\n${operation}]}`);
    const { key, operation: one } = said.transaction.steps[1] ?? {};
    return [key, one];
  };
  const bytes = (text: string) => new TextEncoder().encode(text);
  const document = '{ "big":12345678901234567890, "n":1.50,"é":"\\u00e9" ,"a":[],"o":{}}';

  test.each([
    ["a text", '"value":"é"', bytes("é"), "text/plain;charset=utf-8"],
    ["a text that is called one", '"value":"é","encoding":"text"', bytes("é"), "text/plain;charset=utf-8"],
    ["bytes", '"value":"/wAB","encoding":"base64"', Uint8Array.of(255, 0, 1), "application/octet-stream"],
    ["JSON as it is written", `"json":${document}`, bytes(document), "application/json"],
    ["null", '"json":null', bytes("null"), "application/json"],
    ["a type", '"json":1,"content_type":"x/y"', bytes("1"), "x/y"],
  ])("%s", (_, members, value, contentType) => {
    const [key, operation] = read(`{"op":"put","key":"k",${members}}`);
    expect([key, { ...(operation as object), value: [...(operation as { value: Uint8Array }).value] }]).toEqual([
      ...["k", { op: "put", contentType, value: [...value] }],
    ]);
  });

  test("metadata and patches are kept as they are written", () => {
    expect(read(`{"op":"put","key":"k","value":"","metadata":{"é":12345678901234567890}}`)[1]).toMatchObject({
      metadata: '{"\\u00e9":12345678901234567890}',
    });
    const [, patch] = read(`{"op":"patch","key":"k","patch":${document},"ttl":5}`);
    expect(new TextDecoder().decode((patch as { value: Uint8Array }).value)).toBe(document);
    expect(patch).toMatchObject({ op: "patch", expiry: { ttlMs: 5000 } });
  });
});
