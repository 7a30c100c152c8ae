/** What a target of the Dockerfile holds, laid out in a folder from what is built here, as the Dockerfile says it. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repoRoot } from "../../infra/local/repo-root.ts";
import { type Copy, type Image, ignoredBy, imageOf, parseDockerfile } from "./dockerfile.ts";
import { cleanUpLater, testReaper } from "./running.ts";

export interface BuiltImage extends Image {
  /** Where its working folder is on this machine. Its files are for everybody to read and for nobody to write. */
  readonly place: string;
}

const read = (path: string) => readFileSync(join(repoRoot, path), "utf8");

/** Takes `dist/` as it is: `npm run build` makes it. */
export function layOutImage(target: string): BuiltImage {
  const image = imageOf(parseDockerfile(read("infra/docker/Dockerfile")), target);
  const place = temporaryFolder(target);
  for (const copy of image.copies) layOut(copy, image, place);
  slim(join(place, "dist"));
  execFileSync("chmod", ["a+rX,a-w", place]);
  return { ...image, place };
}

function layOut({ from, sources, target }: Copy, image: Image, place: string): void {
  const inside = (path: string) => path.replace(`${image.folder}/`, "").replace(/^\.\//, "");
  for (const source of sources) {
    const path = inside(source);
    // A copy of several things, or one whose target ends so, is into a folder.
    const to = join(place, inside(target), target.endsWith("/") ? path : "");
    mkdirSync(dirname(to), { recursive: true });
    if (path === "node_modules") linkProductionPackages(to);
    else if (from !== undefined) cpSync(join(repoRoot, path), to, { recursive: true });
    else copySources(path, to);
  }
}

function copySources(path: string, to: string): void {
  const isIgnored = ignoredBy(read(".dockerignore"));
  const filter = (source: string) => !isIgnored(source.slice(repoRoot.length + 1));
  cpSync(join(repoRoot, path), to, { recursive: true, filter });
}

/** As `npm ci --omit=dev` installs them: what the lock file does not mark as only for development. */
export function productionPackages(): string[] {
  const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, { dev?: boolean }> };
  return Object.entries(packages).flatMap(([path, { dev }]) => (path === "" || dev === true ? [] : [path]));
}

let packages: string | undefined;

/** One folder of them for all images of a test file, linked into each: nobody writes to them. */
function linkProductionPackages(to: string): void {
  packages ??= layOutPackages();
  execFileSync("cp", ["-R", ...(process.platform === "linux" ? ["-l"] : []), packages, to]);
}

function layOutPackages(): string {
  const place = temporaryFolder("packages");
  // A binary of another platform is in the lock file and not here.
  const paths = productionPackages().filter((path) => existsSync(join(repoRoot, path)));
  const copy = 'to=$1; shift; tar -cf - "$@" | tar -xf - -C "$to"';
  const outermost = paths.filter((path) => path.lastIndexOf("node_modules/") === 0);
  execFileSync("sh", ["-c", copy, "sh", place, ...outermost], { cwd: repoRoot });
  for (const nested of readdirSync(place, { recursive: true, encoding: "utf8" })) {
    if (/node_modules\/.*node_modules\/(@[^/]+\/)?[^/@]+$/.test(nested) && !paths.includes(nested))
      rmSync(join(place, nested), { recursive: true });
  }
  slim(join(place, "node_modules"));
  return join(place, "node_modules");
}

function slim(folder: string): void {
  execFileSync("sh", [join(repoRoot, "infra/docker/slim.sh"), folder]);
  execFileSync("chmod", ["-R", "a+rX,a-w", folder]);
}

/** Gone at the end of the test file. */
function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `millrace-image-${name}-`));
  testReaper().watchFolder(folder);
  cleanUpLater(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
