/** The rules of this house, each a function over one file. tidy.test.ts applies them and shows that each one fires. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";

export interface Sample {
  path: string;
  text: string;
}

export interface Rule {
  name: string;
  /** What is wrong with this file, if anything is. The path is relative to the root. */
  check: (path: string, text: string) => string | undefined;
  /** Files that break it, to show that it fires. */
  bad: readonly Sample[];
  /** Files that come close and are right. */
  good: readonly Sample[];
}

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  devDependencies: Record<string, string>;
};
/** Packages that building and testing need. */
const TOOLS = Object.keys(manifest.devDependencies);

export const isTest = (path: string): boolean => path.startsWith("tests/") || /\.test\.ts$/.test(path);
const isTypeScript = (path: string): boolean => path.endsWith(".ts");
const topFolder = (path: string): string => path.split("/")[0] ?? "";

/** Which folders of ours the files of a folder may import, beside their own. Tests may import more. */
const LAYERS: Record<string, readonly string[]> = {
  core: [],
  api: ["core"],
  consumer: ["core"],
  client: [],
  cli: ["client"],
  otel: ["core"],
  infra: ["core"],
};

/** Where settings enter the program. */
const ENVIRONMENT_HOMES = [
  /(^|\/)main\.ts$/,
  /^infra\/local\/start\.ts$/,
  /^otel\/bootstrap\.ts$/,
  /^bench\//,
  /^vitest\.config\.ts$/,
];

const LINES_MAX = 300;
const MAIN_LINES_MAX = 40;

export const rules: readonly Rule[] = [
  {
    name: "imports go one way: api -> core <- consumer, client alone",
    check: (path, text) => {
      const folder = topFolder(path);
      const allowed = LAYERS[folder];
      if (allowed === undefined || isTest(path)) return undefined;
      const foreign = importsOf(text)
        .filter((name) => name.startsWith("."))
        .map((name) => join(dirname(path), name))
        .find((target) => topFolder(target) !== folder && !allowed.includes(topFolder(target)));
      return foreign && `imports ${foreign}`;
    },
    bad: [
      { path: "core/log.ts", text: 'import { app } from "../api/app.ts";' },
      { path: "core/redis/link.ts", text: 'const app = await import("../../consumer/main.ts");' },
      { path: "api/app.ts", text: 'import type { Loop } from "../consumer/loop.ts";' },
      { path: "consumer/loop.ts", text: 'export { app } from "../api/app.ts";' },
      { path: "client/client.ts", text: 'import {\n  LIMIT,\n} from "../core/limits.ts";' },
    ],
    good: [
      { path: "api/app.ts", text: 'import { log } from "../core/log.ts";\nimport "./errors.ts";' },
      { path: "core/log.redis.test.ts", text: 'import { startRedis } from "../tests/harness/redis-server.ts";' },
    ],
  },
  {
    name: "settings are read at the entry: process.env only there",
    check: (path, text) =>
      isTypeScript(path) &&
      !isTest(path) &&
      !ENVIRONMENT_HOMES.some((home) => home.test(path)) &&
      /\bprocess\.env\b|\benv\b[^;]*from "node:process"/.test(withoutComments(text))
        ? "reads process.env"
        : undefined,
    bad: [
      { path: "core/log.ts", text: "const url = process.env.LOG_URL;" },
      { path: "core/log.ts", text: 'import { env } from "node:process";' },
    ],
    good: [
      { path: "api/main.ts", text: "readConfig(process.env);" },
      { path: "core/config.ts", text: "// takes process.env from the entry" },
    ],
  },
  {
    name: `an entry is thin: at most ${MAIN_LINES_MAX} lines`,
    check: (path, text) =>
      /(^|\/)main\.ts$/.test(path) && !path.startsWith("bench/") && lineCount(text) > MAIN_LINES_MAX
        ? `${lineCount(text)} lines`
        : undefined,
    bad: [{ path: "api/main.ts", text: "run();\n".repeat(MAIN_LINES_MAX + 1) }],
    good: [{ path: "api/main.ts", text: "run();\n".repeat(MAIN_LINES_MAX) }],
  },
  {
    name: `files are short: at most ${LINES_MAX} lines`,
    check: (path, text) =>
      /\.(ts|lua|sh|css|js)$/.test(path) && lineCount(text) > LINES_MAX ? `${lineCount(text)} lines` : undefined,
    bad: [{ path: "core/functions/apply.lua", text: "x = 1\n".repeat(LINES_MAX + 1) }],
    good: [{ path: "README.md", text: "line\n".repeat(LINES_MAX + 1) }],
  },
  {
    name: "core/keys.ts alone spells Redis keys",
    check: (path, text) =>
      /\.(ts|lua)$/.test(path) && !isTest(path) && path !== "core/keys.ts" && /["'`]mr:/.test(withoutComments(text))
        ? "spells a Redis key"
        : undefined,
    bad: [
      { path: "api/app.ts", text: "const key = `mr:format`;" },
      { path: "core/functions/apply.lua", text: "local key = 'mr:' .. name" },
    ],
    good: [{ path: "core/keys.ts", text: 'export const FORMAT_KEY = "mr:format";' }],
  },
  {
    name: "Lua has one home: core/functions",
    check: (path, text) => {
      // bench/ drives load and compares with programs that bring their own.
      if (/^(core\/functions|bench)\//.test(path) || isTest(path)) return undefined;
      if (path.endsWith(".lua")) return "is a Lua file";
      if (!isTypeScript(path)) return undefined;
      const found = /redis\.p?call\(|\.evalsha\(|\.eval\(|\.defineCommand\(|["'`](FCALL|EVAL)/.exec(
        withoutComments(text),
      );
      return found ? `contains ${found[0]}` : undefined;
    },
    bad: [
      { path: "consumer/apply.lua", text: "" },
      { path: "core/log.ts", text: 'await redis.eval("return 1", 0);' },
      { path: "core/log.ts", text: "const script = `redis.call('GET', KEYS[1])`;" },
      { path: "core/log.ts", text: 'await link.call({ name: "FCALL", args: [] });' },
    ],
    good: [{ path: "core/functions/apply.ts", text: 'link.call({ name: "FCALL", args: [] });' }],
  },
  {
    name: "the api runs on any runtime: nothing of Node but in main.ts, server.ts and node-incoming.ts",
    check: (path, text) => {
      if (!path.startsWith("api/") || !isTypeScript(path) || isTest(path)) return undefined;
      if (["api/main.ts", "api/server.ts", "api/node-incoming.ts"].includes(path)) return undefined;
      const found = /["']node:[^"']*["']|\bBuffer\b|\bprocess\./.exec(withoutComments(text));
      return found ? `uses ${found[0]}` : undefined;
    },
    bad: [
      { path: "api/app.ts", text: 'import { once } from "node:events";' },
      { path: "api/routes/put.ts", text: "const body = Buffer.from(value);" },
      { path: "api/app.ts", text: "process.exit(1);" },
    ],
    good: [
      { path: "api/server.ts", text: 'import { createServer } from "node:http";' },
      { path: "api/app.ts", text: "// no Buffer here\nconst body = new Uint8Array(2);" },
    ],
  },
  {
    name: "a test says by its name what it needs: no Redis and no processes in x.test.ts",
    check: (path, text) => {
      if (!path.endsWith(".test.ts") || /\.redis\.test\.ts$|^tests\/(e2e|faults)\//.test(path)) return undefined;
      return importsOf(text).find((name) =>
        /^ioredis$|harness\/(redis-server|proxy|process|stack|link)\.ts$/.test(name),
      );
    },
    bad: [{ path: "core/log.test.ts", text: 'import { startRedis } from "../tests/harness/redis-server.ts";' }],
    good: [{ path: "core/log.redis.test.ts", text: 'import { startRedis } from "../tests/harness/redis-server.ts";' }],
  },
  {
    name: "what runs in production imports no package that is not installed there",
    check: (path, text) =>
      /^(api|consumer|core|otel)\/.*\.ts$/.test(path) && !isTest(path)
        ? importsOf(text).find((name) =>
            TOOLS.includes(
              name
                .split("/")
                .slice(0, name.startsWith("@") ? 2 : 1)
                .join("/"),
            ),
          )
        : undefined,
    bad: [
      { path: "core/logger.ts", text: 'import pretty from "pino-pretty";' },
      { path: "api/app.ts", text: 'const { parse } = await import("yaml");' },
      { path: "consumer/main.ts", text: 'import { x } from "@kubernetes/client-node/dist/x.js";' },
    ],
    good: [
      { path: "core/logger.ts", text: 'import { pino } from "pino";' },
      { path: "core/logger.test.ts", text: 'import { expect } from "vitest";' },
      { path: "infra/local/log-lines.ts", text: 'import pretty from "pino-pretty";' },
    ],
  },
  {
    name: "no test is left alone on stage",
    check: (path, text) =>
      path.endsWith(".test.ts") && /\b(it|test|describe|suite)(\.\w+)*\.only\b/.test(text) ? "has .only" : undefined,
    bad: [{ path: "core/log.test.ts", text: `describe${".only"}("log", run);` }],
    good: [{ path: "core/log.test.ts", text: 'it("is the only one", run);' }],
  },
  {
    name: "nothing is left for later",
    check: (_path, text) => new RegExp(`\\b(TO${"DO"}|FIX${"ME"}|X${"XX"})\\b`).exec(text)?.[0],
    bad: [{ path: "README.md", text: `TO${"DO"}: write this` }],
    good: [{ path: "README.md", text: "to do this, type" }],
  },
  {
    name: "a file is named after what it is",
    check: (path) => (/(^|\/)(utils?|helpers?|misc|index)\.ts$/.test(path) ? "says nothing by its name" : undefined),
    bad: [
      { path: "core/utils.ts", text: "" },
      { path: "api/index.ts", text: "" },
    ],
    good: [{ path: "core/entry-id.ts", text: "" }],
  },
  {
    name: "versions of packages are exact, and no registry is written down",
    check: (path, text) => {
      if (path === "package-lock.json") return /"resolved":\s*"[^"]*"/.exec(text)?.[0];
      if (path !== "package.json") return undefined;
      return /"(@?[\w./-]+)":\s*"[\^~*<>=][^"]*"/.exec(text.replace(/"engines":\s*\{[^}]*\}/, ""))?.[0];
    },
    bad: [
      { path: "package-lock.json", text: '{"resolved": "https://registry.example/hono.tgz"}' },
      { path: "package.json", text: '{"dependencies": {"@hono/node-server": "^2.1.8"}}' },
    ],
    good: [{ path: "package.json", text: '{"engines": {"node": ">=20.19"}, "dependencies": {"hono": "4.13.19"}}' }],
  },
  {
    name: "the lock file holds the binaries of every platform: npm run lock",
    check: (path, text) => (path === "package-lock.json" ? missingFromLock(text) : undefined),
    bad: [
      { path: "package-lock.json", text: '{"packages": {"node_modules/a": {"optionalDependencies": {"b": "1.0.0"}}}}' },
    ],
    good: [
      {
        path: "package-lock.json",
        text: '{"packages": {"node_modules/a": {"optionalDependencies": {"b": "1.0.0"}}, "node_modules/b": {}}}',
      },
    ],
  },
];

/** The first optional package that another one wants and the lock file does not have: `npm ci` would refuse it. */
function missingFromLock(text: string): string | undefined {
  const { packages } = JSON.parse(text) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies));
  return wanted.find((name) => packages[`node_modules/${name}`] === undefined);
}

/** What a file imports or exports from, static and dynamic. */
export function importsOf(text: string): string[] {
  const found = withoutComments(text).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g);
  return [...found].map((match) => match[1] ?? "");
}

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

/** Good enough for rules: a `//` inside a string is left alone when a colon stands before it, as in a URL. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(?<!:)\/\/.*$/gm, "");
}
