import { expect, test } from "vitest";
import { prefersPage } from "./accept.ts";

test.each([
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true],
  ["text/html", true],
  ["TEXT/HTML ; Q=0.5, application/json;q=0.4", true],
  ["application/json;q=0, text/*", true],
  [null, false],
  ["", false],
  ["*/*", false],
  ["application/json", false],
  ["application/json, text/html", false],
  ["text/html;q=0.5, application/json", false],
  ["text/html;q=0", false],
  ["text/html;q=2", false],
  ["*/*, text/html;q=0.1", false],
  [";;,,q=1", false],
])("Accept: %j asks for a page: %s", (header, page) => {
  expect(prefersPage(header)).toBe(page);
});
