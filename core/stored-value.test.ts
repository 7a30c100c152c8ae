import { expect, test } from "vitest";
import { decodeStoredValue } from "./stored-value.ts";

test("a value may hold tabs and line feeds of its own", () => {
  const { id, contentType, value } = decodeStoredValue(Buffer.from("1-2\ttext/plain; a=b\na\tb\nc"));
  expect([id, contentType, Buffer.from(value).toString()]).toEqual(["1-2", "text/plain; a=b", "a\tb\nc"]);
});

test("attributes that a later version adds are skipped", () => {
  expect(decodeStoredValue(Buffer.from("1-2\ttext/plain\tnew=1\nv")).contentType).toBe("text/plain");
});

test("what is not ours is not taken for a value", () => {
  for (const text of ["", "x", "1-2\ttext/plain", "1-2\nv"])
    expect(() => decodeStoredValue(Buffer.from(text))).toThrow();
});
