/** Merge patches against the table of RFC 7396, appendix A, and where texts and numbers are easily lost. */

import { beforeAll, beforeEach, expect, test } from "vitest";
import { entries } from "../../tests/harness/log-entries.ts";
import { MERGE_PATCH_CASES } from "../../tests/harness/rfc-7396.ts";
import { type StoreLab, startStoreLab } from "../../tests/harness/store-lab.ts";
import type { Command } from "../command.ts";
import { PATCHED_VALUE_MAX_BYTES } from "../limits.ts";
import type { Store } from "../store.ts";
import { WATERMARK_ZERO } from "./apply.ts";

let lab: StoreLab;
let store: Store;

beforeAll(async () => {
  lab = await startStoreLab();
  ({ store } = lab);
});
beforeEach(() => lab.reset());

const put = (value: string): Partial<Command> => ({
  operation: { op: "put", contentType: "application/vnd.x+json", value: Buffer.from(value) },
});
const patch = (value: string): Partial<Command> => ({ operation: { op: "patch", value: Buffer.from(value) } });

/** The value after these commands, and what came of the last of them. */
async function after(...commands: readonly Partial<Command>[]) {
  await store.apply(0, WATERMARK_ZERO, entries(commands));
  const { stored } = await store.read(0, "n", "k");
  const outcome = await store.outcome(0, `1000-${commands.length}`);
  return { text: stored && Buffer.from(stored.value).toString(), type: stored?.contentType, outcome };
}

test.each(MERGE_PATCH_CASES)("RFC 7396: %s patched with %s is %s", async (before, by, result) => {
  expect((await after(put(before), patch(by))).text).toBe(result);
});

test.each([
  [
    "numbers beyond 2^53",
    '{"n":9007199254740993,"m":1}',
    '{"m":18446744073709551615}',
    '{"n":9007199254740993,"m":18446744073709551615}',
  ],
  [
    "decimals and exponents as written",
    '{"n":1.10,"e":1E+400,"z":-0}',
    '{"x":0.1e-7}',
    '{"n":1.10,"e":1E+400,"z":-0,"x":0.1e-7}',
  ],
  ["empty arrays and objects", '{"a":[],"o":{}}', '{"p":[],"q":{}}', '{"a":[],"o":{},"p":[],"q":{}}'],
  ["null inside an array of the patch", "{}", '{"a":[null,{"b":null}]}', '{"a":[null,{"b":null}]}'],
  ["names that are written differently", '{"\\u0061":1,"/":2}', '{"a":3,"\\/":null}', '{"\\u0061":3}'],
  ["text beyond the Basic Multilingual Plane", '{"😀":"😀"}', '{"\\ud83d\\ude00":"é"}', '{"😀":"é"}'],
  ["quotes and braces in strings", '{"a":"}\\"{,:","b":1}', '{"b":"]"}', '{"a":"}\\"{,:","b":"]"}'],
  ["spaces around what is touched", ' { "a" : [ 1 , 2 ] ,\n"b" : 1 } ', ' { "b" : 2 } ', '{"a":[ 1 , 2 ],"b":2}'],
  ["the last of two members of one name", '{"a":1,"a":2}', '{"b":1,"b":3}', '{"a":2,"b":3}'],
])("keeps %s", async (_, before, by, result) => {
  const { text, type } = await after(put(before), patch(by));
  expect(text).toBe(result);
  expect(type).toBe("application/vnd.x+json");
});

test("a missing key counts as {}, and its value is application/json", async () => {
  expect(await after(patch('{"a":1,"b":null}'))).toMatchObject({ text: '{"a":1}', type: "application/json" });
});

test.each([
  ...[
    "",
    "hello",
    "{",
    "[1,]",
    '{"a":}',
    '{"a" 1}',
    "{'a':1}",
    "01",
    "1.",
    ".5",
    "+1",
    "NaN",
    "tru",
    '"\u0001"',
    '"\\x"',
    '"a',
    "1 2",
    "{}x",
  ],
  `${"[".repeat(200)}${"]".repeat(200)}`,
])("a stored value that is no JSON stays as it is, and the patch is rejected: %s", async (value) => {
  const { text, outcome } = await after(put(value), patch('{"a":1}'));
  expect(text).toBe(value);
  expect(outcome).toEqual({ outcome: "rejected", reason: "not-json" });
});

test("a value that is too large, or would become it, is not patched", async () => {
  const large = JSON.stringify({ a: "x".repeat(PATCHED_VALUE_MAX_BYTES) });
  expect((await after(put(large), patch("{}"))).outcome).toEqual({ outcome: "rejected", reason: "too-large-to-patch" });
  await lab.link.call({ name: "FLUSHALL", args: [] });
  const half = JSON.stringify({ a: "x".repeat(PATCHED_VALUE_MAX_BYTES / 2) });
  const { outcome, text } = await after(put(half), patch(half.replace("a", "b")));
  expect(outcome).toEqual({ outcome: "rejected", reason: "too-large-to-patch" });
  expect(text).toBe(half);
});

test("agrees with a plain merge of what both parsers understand, on random documents", async () => {
  let state = 7;
  const next = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  const document = (depth: number): unknown => {
    const kind = next(depth > 0 ? 8 : 5);
    if (kind < 5) return [null, true, next(1000) / 8, `s${next(9)}"\\\n`, ""][kind];
    if (kind === 5) return Array.from({ length: next(3) }, () => document(depth - 1));
    return Object.fromEntries(Array.from({ length: next(5) }, () => [`k${next(6)}`, document(depth - 1)]));
  };
  const merge = (target: unknown, by: unknown): unknown => {
    if (typeof by !== "object" || by === null || Array.isArray(by)) return by;
    const base = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
    const result = new Map<string, unknown>(Object.entries(base));
    for (const [name, value] of Object.entries(by)) {
      if (value === null) result.delete(name);
      else result.set(name, merge(result.get(name), value));
    }
    return Object.fromEntries(result);
  };
  const pairs = Array.from({ length: 300 }, () => [document(4), document(4)] as const);
  const commands = pairs.flatMap(([before, by], index) => [
    { ...put(JSON.stringify(before)), key: `${index}` },
    { ...patch(JSON.stringify(by)), key: `${index}` },
  ]);
  await store.apply(0, WATERMARK_ZERO, entries(commands));
  for (const [index, [before, by]] of pairs.entries()) {
    const { stored } = await store.read(0, "n", `${index}`);
    expect(JSON.parse(String(Buffer.from(stored?.value ?? [])))).toEqual(merge(before, by));
  }
});
