import { describe, expect, test } from "vitest";
import { parseStoredSettings, settingsSchema } from "./namespaces.ts";

describe("settings that a client gives", () => {
  test.each([
    ["nothing", {}],
    ["all of them", { wait: 5, grade: "disk", parking: "block", quota: { keys: 10, bytes: 0 } }],
  ])("%s: taken as they are", (_, given) => expect(settingsSchema.parse(given)).toEqual(given));

  test.each([
    ["no object", []],
    ["another grade", { grade: "paper" }],
    ["another policy", { parking: "stop" }],
    ["a setting that is not known", { parking: "block", grad: "disk" }],
    ["a wait beyond the longest", { wait: 31 }],
    ["half a second", { wait: 0.5 }],
    ["a quota below nothing", { quota: { keys: -1 } }],
    ["a quota of something else", { quota: { files: 1 } }],
    ["a setting without a value", { grade: null }],
  ])("%s: refused", (_, given) => expect(settingsSchema.safeParse(given).success).toBe(false));
});

test("stored settings of a newer version are read as far as they are known; what is not settings is nothing", () => {
  expect(parseStoredSettings({ parking: "block", colour: "red" })).toMatchObject({ parking: "block" });
  expect(parseStoredSettings({})).toMatchObject({ parking: "skip" });
  for (const other of [null, 1, [], { grade: "paper" }]) expect(parseStoredSettings(other)).toBeNull();
});
