/**
 * Renders kustomizations as `kubectl apply -k` would, two at a time.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { type Manifest, parseManifests } from "./manifest.ts";

export const root = join(import.meta.dirname, "../..");

/** Says why not, when manifests cannot be rendered here. */
export const withoutKubectl: string | null =
  spawnSync("kubectl", ["version", "--client"]).status === 0 ? null : "kubectl is not installed";

if (withoutKubectl !== null) process.stderr.write(`the manifests are not checked: ${withoutKubectl}\n`);

const AT_ONCE = 2;
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;
const run = promisify(execFile);
let running = 0;
const waiting: (() => void)[] = [];

/** The folders of k8s/components, in the order in which overlays are told to list them: the site comes last. */
export function componentNames(): string[] {
  const names = readdirSync(join(root, "k8s/components"));
  const rank = (name: string) =>
    ["network-policies", "", "site"].indexOf(name === "site" || name === "network-policies" ? name : "");
  return names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** @throws Error with what kustomize says */
export async function render(folder: string): Promise<Manifest[]> {
  while (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    const { stdout } = await run("kubectl", ["kustomize", folder], { maxBuffer: OUTPUT_MAX_BYTES });
    return parseManifests(stdout);
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/** An overlay of somebody's own: ours, with these components on top, and his own host. */
export async function renderWith(overlay: string, components: readonly string[], host: string): Promise<Manifest[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "millrace-overlay-")));
  const from = (path: string) => relative(folder, join(realpathSync(root), path));
  try {
    // JSON is YAML.
    const kustomization = {
      namespace: "millrace",
      resources: [from(`k8s/overlays/${overlay}`)],
      components: [...components, "site"].map((name) => from(`k8s/components/${name}`)),
      configMapGenerator: [{ name: "millrace-site", behavior: "merge", literals: [`host=${host}`] }],
    };
    writeFileSync(join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
    return await render(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
