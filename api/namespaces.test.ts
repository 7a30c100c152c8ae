import { expect, test } from "vitest";
import { namespaces } from "./namespaces.ts";

test("a namespace has its own settings, any other the defaults", () => {
  const settingsOf = namespaces.parse('{"orders":{"parking":"block","grade":"disk"},"toString":{"grade":"memory"}}');
  expect(settingsOf("orders")).toEqual({ parking: "block", grade: "disk" });
  expect(settingsOf("toString")).toEqual({ parking: "skip", grade: "memory" });
  for (const other of ["demo", "constructor", "__proto__"]) expect(settingsOf(other)).toEqual({ parking: "skip" });
  expect(namespaces.parse('{"@orders":{"parking":"block"}}')("@orders")).toEqual({ parking: "block" });
  expect(namespaces.parse(undefined)("orders")).toEqual({ parking: "skip" });
});

test.each([
  ["no JSON", "{orders}"],
  ["no object", "[]"],
  ["another grade", '{"orders":{"grade":"paper"}}'],
  ["another policy", '{"orders":{"parking":"stop"}}'],
  ["a setting that is not known", '{"orders":{"parking":"block","grad":"disk"}}'],
  ["a name that no path can have", '{"a/b":{}}'],
  ["our own namespace", '{"@millrace":{}}'],
])("%s is refused", (_, text) => expect(namespaces.safeParse(text).success).toBe(false));

test("every fault is told, with the place where it is", () => {
  const parsed = namespaces.safeParse('{"a":{"grade":"paper"},"b":{"parking":1}}');
  expect(parsed.error?.issues.map(({ path }) => path.join("."))).toEqual(["a.grade", "b.parking"]);
});
