import { expect, test } from "vitest";
import { MERGE_PATCH_CASES } from "../tests/harness/rfc-7396.ts";
import { mergePatch } from "./merge-patch.ts";

test.each(MERGE_PATCH_CASES)("%s patched with %s is %s", (target, patch, result) => {
  expect(mergePatch(JSON.parse(target), JSON.parse(patch))).toEqual(JSON.parse(result));
});

test("a name that objects have of themselves is a name like any other", () => {
  const patched = mergePatch({}, JSON.parse('{"__proto__":{"wait":5}}'));
  expect(Object.getPrototypeOf(patched)).toBe(Object.prototype);
  expect(Object.keys(patched as object)).toEqual(["__proto__"]);
});
