import { expect, test } from "vitest";
import { compareKeys, keyBytes, keyText } from "./key-bytes.ts";

test("keys are in the order of their UTF-8 bytes: what is beyond U+FFFF comes last", () => {
  const keys = [
    "",
    " ",
    "A",
    "a",
    "a ",
    "aa",
    "a{b}",
    "\u00e9",
    "\u07ff",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\u{10000}",
    "😀",
  ];
  const shuffled = [...keys.slice(7), ...keys.slice(0, 7)].map(keyBytes);
  expect(shuffled.toSorted(compareKeys).map(keyText)).toEqual(keys);
  expect([...keys].toSorted()).not.toEqual(keys);
});

test("a key comes back as it was, a byte order mark included", () => {
  for (const key of ["\ufeffa", "ü😀", ""]) expect(keyText(keyBytes(key))).toBe(key);
  expect(keyText(new Uint8Array([120, 97, 98]).subarray(1))).toBe("ab");
});
