/** The Dockerfile and .dockerignore as they are written. What is built from them runs in tests/e2e/production-output.test.ts. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repoRoot } from "../../infra/local/repo-root.ts";
import { ignoredBy, imageOf, parseCopy, parseDockerfile } from "../harness/dockerfile.ts";

const read = (path: string) => readFileSync(join(repoRoot, path), "utf8");
const stages = parseDockerfile(read("infra/docker/Dockerfile"));
const isIgnored = ignoredBy(read(".dockerignore"));
const { version } = JSON.parse(read("package.json")) as { version: string };

const SERVICES = ["api", "consumer"];
const TARGETS = [...SERVICES, "smoke", "dev"];
const instructions = stages.flatMap((stage) => stage.instructions.map((each) => ({ stage: stage.name, ...each })));

/** Every file below a path that comes into a build. */
function sentBelow(path: string): string[] {
  if (!statSync(join(repoRoot, path)).isDirectory()) return isIgnored(path) ? [] : [path];
  return readdirSync(join(repoRoot, path)).flatMap((name) => sentBelow(`${path}/${name}`));
}

describe.each(TARGETS)("target %s", (target) => {
  const image = imageOf(stages, target);

  it("runs as a user that is a number and not root", () => {
    expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it("has node as process 1, told without a shell", () => {
    expect(image.entrypoint).toEqual([]);
    expect(image.command[0]).toBe("node");
  });

  it("starts a file that it holds", () => {
    const programs = image.command.filter((word) => /\.[jt]s$/.test(word)).map((word) => word.replace("./", ""));
    // Tracing is begun before the program; the smoke check has none.
    expect(programs).toHaveLength(target === "smoke" ? 1 : 2);
    const held = image.copies.map(({ target: to }) => to.replace(/^\.\//, ""));
    for (const program of programs) {
      expect(held.some((folder) => program.startsWith(`${folder}/`))).toBe(true);
      const source = program.replace(/^dist\//, "").replace(/\.js$/, ".ts");
      expect(sentBelow(source)).toEqual([source]);
    }
  });

  it("says what it is", () => {
    expect(image.labels).toMatchObject({
      "org.opencontainers.image.title": `millrace-${target}`,
      "org.opencontainers.image.description": expect.stringMatching(/.{20}/),
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.revision": "unknown",
      "org.opencontainers.image.base.name": `docker.io/library/${image.base}`,
    });
    expect(image.copies.some(({ sources }) => sources.includes("LICENSE"))).toBe(true);
  });
});

it.each(SERVICES)("%s holds no file that its user may change", (target) => {
  expect(imageOf(stages, target).copies.filter(({ owner }) => owner !== undefined)).toEqual([]);
});

it("dev may change every source it runs, and restarts at each", () => {
  const { user, copies, command } = imageOf(stages, "dev");
  const sources = copies.filter(({ owner }) => owner === user).map(({ target }) => target.replace("./", ""));
  expect(sources).toEqual(expect.arrayContaining(["api", "consumer", "core", "otel"]));
  expect(command.flatMap((word) => /^--watch-path=(.*)$/.exec(word)?.[1] ?? [])).toEqual(
    expect.arrayContaining(sources.filter((folder) => folder !== "consumer")),
  );
});

const gnuTar = spawnSync("tar", ["--version"], { encoding: "utf8" }).stdout?.includes("GNU tar") ?? false;
it.skipIf(!gnuTar)("in dev a file that is brought in again and again stays the file that node watches", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-image-dev-"));
  const file = join(folder, "app.ts");
  const env = { ...process.env, ...imageOf(stages, "dev").environment };
  try {
    await writeFile(file, "1");
    const watched = await open(file);
    // As skaffold and `kubectl cp` do it.
    const archive = spawnSync("tar", ["cf", "-", "-C", folder, "app.ts"]).stdout;
    await writeFile(file, "2");
    expect(spawnSync("tar", ["xmf", "-", "-C", folder, "--no-same-owner"], { input: archive, env }).status).toBe(0);
    expect(await watched.readFile("utf8")).toBe("1");
    await watched.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("every base is an image of an exact version, or an earlier stage", () => {
  for (const [index, { from }] of stages.entries()) {
    const earlier = stages.slice(0, index).some(({ name }) => name === from);
    if (!earlier) expect(from).toMatch(/^[\w./-]+:\d+\.\d+\.\d+-[\w-]+$/);
  }
});

it("what is copied from the sources exists and is sent to the build; what is copied from a stage comes from an earlier one", () => {
  for (const { stage, text } of instructions.filter(({ word }) => word === "COPY")) {
    const { from, sources } = parseCopy(text);
    if (from === undefined) {
      for (const source of sources) {
        expect(existsSync(join(repoRoot, source)), source).toBe(true);
        expect(sentBelow(source), source).not.toEqual([]);
      }
    } else {
      const names = stages.map(({ name }) => name);
      expect(names.indexOf(from), `${stage}: ${text}`).toBeGreaterThanOrEqual(0);
      expect(names.indexOf(from)).toBeLessThan(names.indexOf(stage));
    }
  }
});

it("nothing is downloaded but by npm ci, which keeps to package-lock.json", () => {
  expect(instructions.filter(({ word }) => word === "ADD")).toEqual([]);
  const runs = instructions.filter(({ word }) => word === "RUN").map(({ text }) => text);
  for (const run of runs) {
    expect(run).toMatch(
      /^(--mount=type=cache,target=\/root\/\.npm npm ci( --omit=dev)?|npm run build|rm -rf [^&;|]*)( && sh slim\.sh \w+)?$/,
    );
  }
  expect(runs.filter((text) => /npm ci --omit=dev && sh slim\.sh node_modules/.test(text))).toHaveLength(1);
});

it("what a production image holds of packages comes from the stage without development", () => {
  for (const target of TARGETS) {
    const packages = imageOf(stages, target).copies.filter(({ sources }) =>
      sources.some((one) => /node_modules/.test(one)),
    );
    expect(packages.every(({ from }) => from === "modules")).toBe(true);
  }
});

it("no secret is built in", () => {
  const variables = instructions.filter(({ word }) => word === "ENV" || word === "ARG");
  for (const { text } of variables) expect(text).not.toMatch(/secret|token|passw|credential|_key/i);
});

it.each([
  ".env",
  ".git/config",
  ".millrace/log/appendonlydir/x",
  "api/app.test.ts",
  "dist/api/main.js",
  "infra/redis/log.conf",
  "node_modules/hono/package.json",
  "tests/harness/http.ts",
  "tokens.json",
])("%s is not sent to a build", (path) => {
  expect(isIgnored(path)).toBe(true);
});

it("a line of .dockerignore that lets something in overrules those before it, and a later one that", () => {
  const ignored = ignoredBy("# a comment\n*\n!a\na/*\n!a/b\n**/*.test.ts\n");
  expect(["c", "a/x", "a/b/c", "a/b/c.test.ts", "a/b/deep/c.ts"].map(ignored)).toEqual([
    true,
    true,
    false,
    true,
    false,
  ]);
});
