import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rules } from "./tidy-rules.ts";

const root = join(import.meta.dirname, "..");
const LEFT_OUT = new Set(["node_modules", "dist", "coverage", ".git", ".millrace"]);
const TEXT = /\.(ts|js|lua|sh|json|ya?ml|md|conf|css|html)$|(^|\/)(Dockerfile|\.ci\/run)$/;

const files = list("").map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

function list(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    // The last are what lint.test.ts works in; they come and go.
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) || entry.name.startsWith("lint-") ? [] : list(path);
    return entry.isFile() && TEXT.test(path) ? [path] : [];
  });
}

describe.each(rules)("$name", ({ check, bad, good }) => {
  it("holds everywhere", () => {
    const broken = files.flatMap(({ path, text }) => {
      const fault = check(path, text);
      return fault === undefined ? [] : [`${path}: ${fault}`];
    });
    expect(broken).toEqual([]);
  });

  it.each(bad)("fires on $path: $text", ({ path, text }) => {
    expect(check(path, text)).toBeTruthy();
  });

  it.each(good)("is silent on $path: $text", ({ path, text }) => {
    expect(check(path, text)).toBeUndefined();
  });
});

it("sees the whole repository", () => {
  const folders = new Set(files.map(({ path }) => path.split("/")[0]));
  expect([...folders]).toEqual(expect.arrayContaining(["core", "api", "consumer", "infra", "tests", "package.json"]));
});
