import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
let folder: string;

// Inside the repository: the typed rules work with its tsconfig.json.
beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, "lint-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function lint(name: string, line: string): Promise<{ code: number; output: string }> {
  const path = join(folder, `${name}.ts`);
  await writeFile(
    path,
    `async function acknowledge(): Promise<void> {
  await Promise.resolve();
}
export async function run(): Promise<void> {
  ${line}
}
`,
  );
  try {
    const { stdout } = await promisify(execFile)("npx", ["--no", "oxlint", "--type-aware", path], { cwd: root });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, output: stdout };
  }
}

it("a promise that nobody waits for fails the lint: it could be a lost acknowledgement", {
  timeout: 60_000,
}, async () => {
  const { code, output } = await lint("floating", "acknowledge();");
  expect(output).toContain("no-floating-promises");
  expect(code).not.toBe(0);
});

it("the same with await passes", { timeout: 60_000 }, async () => {
  const { code, output } = await lint("awaited", "await acknowledge();");
  expect(output).toContain("0 errors");
  expect(code).toBe(0);
});
