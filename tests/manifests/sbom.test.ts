import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { repoRoot } from "../../infra/local/repo-root.ts";

interface Bill {
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly { readonly name: string; readonly version: string; readonly purl: string }[];
}

const json = (path: string): unknown => JSON.parse(readFileSync(join(repoRoot, path), "utf8"));

it("the bill of materials names each package that an image holds, once, and none other", {
  timeout: 60_000,
}, async () => {
  const script = join(repoRoot, "infra/docker/sbom.mjs");
  const { stdout } = await promisify(execFile)("node", [script], { maxBuffer: 1e8 });
  const bill = JSON.parse(stdout) as Bill;
  const { packages } = json("package-lock.json") as { packages: Record<string, { version: string; dev?: boolean }> };
  const held = Object.entries(packages)
    .filter(([path, { dev }]) => path !== "" && dev !== true)
    .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, "")}@${version}`);
  expect(bill.components.map(({ name, version }) => `${name}@${version}`).toSorted()).toEqual(
    [...new Set(held)].toSorted(),
  );
  expect(bill.metadata.component).toMatchObject({
    name: "millrace",
    version: (json("package.json") as Bill["components"][0]).version,
  });
});
