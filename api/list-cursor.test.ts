import { expect, test } from "vitest";
import { keyBytes, keyText } from "../core/key-bytes.ts";
import { formatListCursor, parseListCursor } from "./list-cursor.ts";

const format = (namespace: string, prefix: string, after: string) =>
  formatListCursor(namespace, keyBytes(prefix), keyBytes(after));
const parse = (text: string, namespace: string, prefix: string) =>
  keyText(parseListCursor(text, namespace, keyBytes(prefix)));

test.each([
  ["n", "", "a"],
  ["@orders", "a/", "a/b"],
  ["n", "a", "a"],
  ["n".repeat(64), "ü".repeat(512), "ü".repeat(512)],
  ["n", "", "\ufeff😀\uffff{}?&=+/%"],
])("a cursor of %s, prefix %s, goes on behind the key it was made of", (namespace, prefix, after) => {
  const cursor = format(namespace, prefix, after);
  expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(parse(cursor, namespace, prefix)).toBe(after);
});

test.each([
  ["another prefix", "n", "b"],
  ["a shorter prefix", "n", ""],
  ["a longer prefix", "n", "a/b"],
  ["another namespace", "m", "a"],
  ["a namespace that takes a part of the key", "na", ""],
])("with %s it is refused", (_, namespace, prefix) => {
  expect(() => parse(format("n", "a", "a/bc"), namespace, prefix)).toThrow(
    expect.objectContaining({ slug: "invalid-cursor" }),
  );
});

test.each([
  ["nothing", ""],
  ["no base64url", "AQE+/AAAA"],
  ["another version", btoa("\u0002\u0001\u0000\u0000nabc").replace(/=+$/, "")],
  ["something cut off", "AQFAAG"],
  ["something long", "A".repeat(5_000)],
])("%s is no cursor", (_, text) => {
  expect(() => parse(text, "n", "")).toThrow(expect.objectContaining({ slug: "invalid-cursor" }));
});

test("a cursor that is cut or changed anywhere is refused, or goes on within the same prefix", () => {
  const cursor = format("n", "a/", "a/bcdef");
  for (let at = 0; at < cursor.length; at += 1) {
    for (const text of [cursor.slice(0, at), `${cursor.slice(0, at)}x${cursor.slice(at + 1)}`]) {
      let after: string | null = null;
      try {
        after = parse(text, "n", "a/");
      } catch (error) {
        expect(error).toMatchObject({ slug: "invalid-cursor" });
      }
      if (after !== null) expect(after.startsWith("a/")).toBe(true);
    }
  }
});
