import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { seededNumbers } from "../tests/harness/seeded-numbers.ts";
import { bodyOf, decodeEntry, type Entry, encodeHeader } from "./codec.ts";
import { bytesIn, type Command, type Expiry, type KeyOperation } from "./command.ts";
import { keysOf, type Transaction, type TransactionCondition, transactionOf } from "./transaction.ts";

const KEYS = ["a", 'schlüssel/"\\\u{1f600}', "0", "{tag}/x y", "k'\u2028", "__proto__", "length", "=1-2"];
const CONTENT_TYPES = ["text/plain; charset=utf-8", 'a/b; c="d\\"'];

function randomTransaction(next: (below: number) => number): Transaction {
  const bytes = (): Buffer => Buffer.from(Array.from({ length: next(20) * next(20) }, () => next(256)));
  const expiries: readonly (Expiry | undefined)[] = [
    undefined,
    "keep",
    { ttlMs: 1 + next(1e9) },
    { atMs: 1 + next(1e9) },
  ];
  const withExpiry = (): { expiry?: Expiry } => {
    const expiry = expiries[next(4)];
    return expiry === undefined ? {} : { expiry };
  };
  const operation = (): KeyOperation => {
    switch (next(4)) {
      case 0: {
        const contentType = CONTENT_TYPES[next(2)] ?? "";
        const metadata = next(2) === 0 ? { metadata: '{"a":"\\u00fc"}' } : {};
        return { op: "put", contentType, value: bytes(), ...withExpiry(), ...metadata };
      }
      case 1:
        return {
          op: "increment",
          by: ["-9223372036854775808", "0", "9223372036854775807"][next(3)] ?? "0",
          ...withExpiry(),
        };
      case 2:
        return { op: "patch", value: bytes(), ...withExpiry() };
      default:
        return { op: "delete" };
    }
  };
  const condition = (): TransactionCondition => {
    const key = KEYS[next(KEYS.length)] ?? "a";
    if (next(3) === 0) return { key, kind: "value", value: bytes() };
    return { key, kind: next(2) === 0 ? "match" : "none-match", id: next(2) === 0 ? "*" : `${next(1e9)}-${next(9)}` };
  };
  const keys = KEYS.filter(() => next(2) === 0);
  const conditions = Array.from({ length: next(4) + (keys.length === 0 ? 1 : 0) }, condition);
  return transactionOf(
    conditions,
    keys.map((key) => ({ key, operation: operation() })),
  );
}

const commandOf = (operation: Transaction): Command => {
  const [key = ""] = keysOf({ key: "", operation });
  const value = Buffer.from(operation.value);
  return { namespace: "n", key, operation: { ...operation, value }, awaited: false, acceptedMs: 1795245173585 };
};
const fieldsOf = (header: string, body: Uint8Array) => [
  ...["v1", `3 ${header}`, "b"].map((field) => Buffer.from(field)),
  Buffer.from(body),
];

/** Many bytes are compared at once only this way. */
const given = (entry: Entry, command: Command): boolean =>
  entry.kind === "command" && isDeepStrictEqual(entry.command, command);

test("every transaction is given back as it was, and as its replay", () => {
  const next = seededNumbers(23);
  for (let run = 0; run < 500; run += 1) {
    const command = commandOf(randomTransaction(next));
    const fields = fieldsOf(encodeHeader(command, "p", 7), bodyOf(command));
    expect(given(decodeEntry("5-6", fields), command)).toBe(true);
    const replay = { ...command, replays: { letter: "12-3", force: run % 2 === 0 } };
    const header = encodeHeader(replay, "p", 7);
    expect(JSON.parse(header)).toMatchObject({ o: "replay", r: "txn" });
    expect(given(decodeEntry("5-6", fieldsOf(header, bodyOf(replay))), replay)).toBe(true);
  }
});

test("without its body it is read with empty values", () => {
  const command = commandOf(
    transactionOf(
      [{ key: "a", kind: "value", value: Buffer.from("was") }],
      [{ key: "b", operation: { op: "put", contentType: "x/y", value: Buffer.from("is") } }],
    ),
  );
  const entry = decodeEntry("5-6", fieldsOf(encodeHeader(command, "p", 7), Buffer.alloc(0)), true);
  expect(entry).toMatchObject({
    command: {
      operation: { conditions: [{ value: Buffer.alloc(0) }], steps: [{ operation: { value: Buffer.alloc(0) } }] },
    },
  });
});

test("its keys are those that it changes, then those that it only looks at, each once", () => {
  const operation = transactionOf(
    [
      { key: "c", kind: "match", id: "*" },
      { key: "b", kind: "match", id: "*" },
      { key: "c", kind: "none-match", id: "1-1" },
    ],
    [
      { key: "b", operation: { op: "delete" } },
      { key: "a", operation: { op: "delete" } },
    ],
  );
  expect(keysOf(commandOf(operation))).toEqual(["b", "a", "c"]);
  expect(bytesIn(operation)).toBe(5);
});

describe("never throws, and calls malformed", () => {
  const header = (parts: string) => `{"p":"p","s":1,"t":1,"o":"txn","n":"n","k":"a",${parts}}`;
  test.each([
    ["no parts", header('"q":[]'), ""],
    ["nothing to do", header('"q":[],"a":[]'), ""],
    ["a condition that is none", header('"q":[["a","~1-1"]],"a":[]'), ""],
    ["a condition of no key", header('"q":[["","=1-1"]],"a":[]'), ""],
    ["a condition that is null", header('"q":[null],"a":[]'), ""],
    ["a step that is null", header('"q":[],"a":[null]'), ""],
    ["a step without a key", header('"q":[],"a":[{"o":"delete"}]'), ""],
    ["half a surrogate pair", header('"q":[],"a":[{"k":"\\ud800","o":"delete"}]'), ""],
    ["a key twice", header('"q":[],"a":[{"k":"a","o":"delete"},{"k":"a","o":"delete"}]'), ""],
    ["a transaction in a transaction", header('"q":[],"a":[{"k":"a","o":"txn","q":[],"a":[]}]'), ""],
    ["an expiry command as a step", header('"q":[],"a":[{"k":"a","o":"expire"}]'), ""],
    ["a put without its type", header('"q":[],"a":[{"k":"a","o":"put","l":0}]'), ""],
    ["an expiry that is a number", header('"q":[],"a":[{"k":"a","o":"patch","l":0,"x":5}]'), ""],
    ["a step whose value is missing", header('"q":[],"a":[{"k":"a","o":"patch","l":3}]'), "ab"],
    ["a value of no length", header('"q":[],"a":[{"k":"a","o":"patch"}]'), ""],
    ["a negative length", header('"q":[["a",-1]],"a":[{"k":"a","o":"patch","l":1}]'), ""],
    ["bytes that belong to nothing", header('"q":[],"a":[{"k":"a","o":"patch","l":1}]'), "ab"],
  ])("%s", (_, text, body) => {
    expect(decodeEntry("1-1", fieldsOf(text, Buffer.from(body)))).toMatchObject({ kind: "malformed", ordinal: 3 });
  });
});
