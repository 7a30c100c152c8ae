import { expect, test } from "vitest";
import { elementTexts, memberText } from "./json-texts.ts";

test.each([
  ['{"a":1}', "1"],
  ['{ "a" : 12345678901234567890 , "b":2}', "12345678901234567890"],
  ['{"b":{"a":1},"a":[{"x":"]}"},[ ]]}', '[{"x":"]}"},[ ]]'],
  ['{"a":"x\\"y\\\\"}', '"x\\"y\\\\"'],
  ['{"a":"\\\\\\"}","b":1}', '"\\\\\\"}"'],
  ['{"\\u0061":1.50}', "1.50"],
  ['{"a":1,"a":2}', "2"],
  ['{"x":"\\"a\\":3","a":true\n}', "true"],
  ['\r\n\t {"a" :\n{ }}', "{ }"],
  ['{"a":null}', "null"],
  ["{}", undefined],
  ['{"b":{"a":1}}', undefined],
])("the member a of %s is %s, as it is written", (object, text) => {
  expect(memberText(object, "a")).toBe(text);
  expect(text === undefined ? undefined : JSON.parse(text)).toEqual((JSON.parse(object) as { a?: unknown }).a);
});

test.each([
  ["[]", []],
  [" [ ] ", []],
  ['[1, "a,b" ,{"x":[1,2]},[3,[4]],null]', ["1", '"a,b"', '{"x":[1,2]}', "[3,[4]]", "null"]],
])("the elements of %s", (array, texts) => {
  expect(elementTexts(array)).toEqual(texts);
});

test("parts of any document parse to what the parser makes of it", () => {
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const value = (depth: number): unknown => {
    const kind = random(depth > 3 ? 4 : 6);
    if (kind === 0) return random(1_000_000) / 7;
    if (kind === 1) return [null, true, false][random(3)];
    if (kind <= 3) return ['"', "\\", "}", "]", "[{", "é\n", ",:"].slice(random(7)).join("");
    const parts = Array.from({ length: random(4) }, () => value(depth + 1));
    return kind === 4 ? parts : Object.fromEntries(parts.map((part, index) => [`k"${index}\\`, part]));
  };
  for (let round = 0; round < 2_000; round += 1) {
    const parts = Array.from({ length: random(5) }, () => value(0));
    const text = JSON.stringify(parts, null, random(2) * 2);
    expect(elementTexts(text).map((part) => JSON.parse(part) as unknown)).toEqual(JSON.parse(text));
    const object = JSON.stringify({ before: parts, wanted: parts[0] ?? null, after: parts }, null, random(2) * 2);
    expect(JSON.parse(memberText(object, "wanted") ?? "")).toEqual(JSON.parse(JSON.stringify(parts[0] ?? null)));
  }
});
