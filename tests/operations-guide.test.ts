/** What docs/operations.md names is there: commands, files, variables, metrics, states and problems. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { apiConfigSchema } from "../api/config.ts";
import { consumerConfigSchema } from "../consumer/config.ts";
import { PARTITION_STATES } from "../core/partition-state.ts";
import { METRICS } from "../core/telemetry.ts";
import { repoRoot } from "../infra/local/repo-root.ts";

const read = (path: string) => readFileSync(join(repoRoot, path), "utf8");
const PAGE = "docs/operations.md";
const guide = read(PAGE);
/** In code, inline or in blocks. */
const code = [...guide.matchAll(/```sh\n([\s\S]*?)```|`([^`\n]+)`/g)]
  .map(([, block, inline]) => block ?? inline ?? "")
  .join("\n");
const found = (pattern: RegExp, text = code) => [...new Set([...text.matchAll(pattern)].map(([, name = ""]) => name))];

/** As GitHub makes them of headings. */
const anchorsOf = (path: string) =>
  [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

describe("the operations guide", () => {
  test("links to pages and headings that are there", () => {
    const missing = found(/\]\(([^)]+)\)/g, guide).filter((link) => {
      const [file = "", anchor] = link.split("#");
      const path = file === "" ? PAGE : join(dirname(PAGE), file);
      if (!existsSync(join(repoRoot, path))) return true;
      return anchor !== undefined && !anchorsOf(path).includes(anchor);
    });
    expect(missing).toEqual([]);
  });

  test("names npm scripts, benches and files that are there", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    expect(found(/\bnpm run ([\w:-]+)/g).filter((name) => !(name in scripts))).toEqual([]);
    const benches = read("bench/run.ts");
    expect(found(/\bnpm run bench -- (\w+)/g).filter((name) => !benches.includes(name))).toEqual([]);
    const files = found(/(?:^|[\s`])((?:infra|tests|core|consumer|api|k8s)\/[\w./-]+\.\w+)/g);
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((path) => !existsSync(join(repoRoot, path)))).toEqual([]);
  });

  test("names variables that something reads", () => {
    const ours = [...Object.keys(apiConfigSchema.shape), ...Object.keys(consumerConfigSchema.shape)];
    const local = found(/\b([A-Z_]+): /g, read("infra/local/config.ts"));
    const scripts = ["infra/backup", "infra/redis"].flatMap((folder) =>
      readdirSync(join(repoRoot, folder))
        .filter((name) => name.endsWith(".sh"))
        .map((name) => read(`${folder}/${name}`)),
    );
    const known = new Set([
      ...ours,
      ...local,
      "REDISCLI_AUTH",
      ...found(/\b((?:[A-Z]+_)+[A-Z]+)\b/g, scripts.join("\n")),
    ]);
    const named = found(/\b((?:MILLRACE|BACKUP|RESTORE|REDIS|STORE|LOG|OPS)_[A-Z_]*[A-Z]|SENTINELS)\b/g);
    expect(named).toContain("MILLRACE_APPLY_UNTIL");
    expect(named.filter((name) => !known.has(name) && !read("core/limits.ts").includes(`const ${name} =`))).toEqual([
      "SENTINELS",
    ]);
    expect(scripts.join("\n")).toContain("SENTINELS");
  });

  test("names metrics, problems and objects that are there", () => {
    const metrics: readonly unknown[] = Object.values(METRICS);
    const text = JSON.stringify(metrics);
    const names = found(/\b(millrace_[a-z_]+)\b/g).filter((name) => !name.startsWith("millrace_store_"));
    expect(names.filter((name) => !text.includes(`"${name}"`))).toEqual([]);
    const document = read("docs/openapi.json");
    const problems = found(/(?:503|type) ([a-z]+(?:-[a-z]+)+)/g, guide.replaceAll("`", ""));
    expect(problems).toContain("partition-halted");
    expect(problems.filter((slug) => !document.includes(`/problems/${slug}`))).toEqual([]);
    const manifests = read("infra/backup/backup.yaml") + read("infra/backup/restore-job.yaml");
    for (const name of found(/(millrace-(?:backups?|restore-store))\b/g)) expect(manifests).toContain(name);
  });

  test("says for each state of a partition what to do", () => {
    const rows = guide
      .slice(guide.indexOf("## On call"))
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    const told = rows.flatMap((row) =>
      [...(row.split("|")[1] ?? "").matchAll(/`([a-z-]+)`/g)].map(([, state]) => state),
    );
    expect(told).toEqual([...PARTITION_STATES]);
  });
});
