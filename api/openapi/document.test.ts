import { readdir } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { IDLE } from "../../tests/harness/idle-app.ts";
import { createApp } from "../app.ts";
import { PROBLEMS } from "../errors.ts";
import { PROBLEM_TEXTS } from "../problem-texts.ts";
import { openApiText } from "../routes/get-openapi.ts";
import { ROUTES } from "../routing-table.ts";
import { UNROUTED_PROBLEMS } from "./description.ts";
import { openApiDocument } from "./document.ts";
import { problemsOf } from "./problem-answers.ts";

const descriptions = ROUTES.map(({ about }) => about);
const document = openApiDocument(descriptions);
const app = createApp(IDLE);

/** Paths of the table as somebody may send them. */
const SAMPLES: Readonly<Record<string, string>> = { namespace: "n", key: "k", id: "03-10-2", n: "3", slug: "internal" };
const sample = (path: string) => path.replace(/\{(\w+)\}/g, (_, name: string) => SAMPLES[name] ?? "x");
const send = async (method: string, target: string) => app.fetch(new Request(`http://h${target}`, { method }));

/** `GET /v1/…` of each operation. */
const described = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
);

// The validator compiles the schema of OpenAPI itself, which takes a loaded machine some seconds.
test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  expect(await validator.validate(JSON.parse(JSON.stringify(document)))).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
}, 30_000);

test("the document in docs/ is that of this code; npx vitest run api/openapi -u writes it", async () => {
  await expect(openApiText(descriptions)).toMatchFileSnapshot("../../docs/openapi.json");
});

describe("the document and the app have the same paths and methods:", () => {
  test("every route of the app is in the document", () => {
    const counted: string[] = [];
    const counterOf = (route: string) => {
      counted.push(route);
      return () => undefined;
    };
    createApp({ ...IDLE, counterOf });
    const routes = counted.filter((route) => /^[A-Z]/.test(route));
    expect(routes.length).toBeGreaterThan(15);
    expect(described).toEqual(expect.arrayContaining(routes));
  });

  test("every file of api/routes is in the table", async () => {
    const all = await readdir(new URL("../routes/", import.meta.url));
    const files = all.filter((file) => !file.endsWith(".test.ts"));
    const modules = await Promise.all(
      files.map(async (file) => ({ file, module: await import(`../routes/${file.slice(0, -3)}.ts`) })),
    );
    for (const { file, module } of modules) {
      const found = Object.entries(module as object).filter(([name]) => name.endsWith("Route"));
      expect(found, file).toHaveLength(1);
      expect(descriptions, file).toContain(found[0]?.[1]);
    }
    expect(descriptions).toHaveLength(files.length);
  });

  test.each(Object.keys(document.paths))("what the document says of %s the app does", async (path) => {
    const answer = await send("BREW", sample(path));
    expect(answer.status).toBe(405);
    const methods = Object.keys(document.paths[path] ?? {}).map((method) => method.toUpperCase());
    expect(new Set(answer.headers.get("allow")?.split(", "))).toEqual(new Set(methods));
    for (const method of methods) {
      expect([404, 405], method).not.toContain((await send(method, `${sample(path)}?undescribed=1`)).status);
    }
  });

  test("and operations have names of their own", () => {
    const names = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map((operation) => (operation as { operationId: string }).operationId),
    );
    expect(names).toHaveLength(described.length);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("what is described is what validates:", () => {
  test.each(descriptions)("$method $path refuses a parameter that it does not describe", async ({ method, path }) => {
    const answer = await send(method, `${sample(path)}?undescribed=1`);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ type: "/problems/unknown-parameter" }),
    ]);
  });

  const parameters = descriptions.flatMap((about) =>
    Object.entries(about.query.schema.shape as Record<string, z.ZodType>).map(([name, schema]) => ({
      ...about,
      name,
      schema,
    })),
  );

  test.each(parameters.filter(({ schema }) => !schema.safeParse("~junk~").success))(
    "$method $path?$name= refuses what its schema does not take",
    async ({ method, path, name, query }) => {
      const answer = await send(method, `${sample(path)}?${name}=~junk~`);
      const { type, detail } = (await answer.json()) as { type: string; detail: string };
      expect([answer.status, type]).toEqual([400, `/problems/${query.problemOf(name)}`]);
      expect(detail).toMatch(new RegExp(`^${name} \\w.*\\.`));
    },
  );

  test.each(parameters)(
    "$method $path?$name= is refused when it comes twice",
    async ({ method, path, name, query }) => {
      const answer = await send(method, `${sample(path)}?${name}=1&${name}=1`);
      expect(await answer.json()).toMatchObject({
        type: `/problems/${query.problemOf(name)}`,
        detail: `${name} is given more than once.`,
      });
    },
  );
});

test("every problem is one that some request may get", () => {
  const told = new Set<string>([...descriptions.flatMap(problemsOf), ...UNROUTED_PROBLEMS]);
  expect(told).toEqual(new Set(Object.keys(PROBLEMS)));
});

test("what problems advise to call is there", () => {
  const advised = Object.values(PROBLEM_TEXTS).flatMap(({ meaning, advice }) =>
    [...`${meaning} ${advice}`.matchAll(/`(?:([A-Z]+) )?(\/[^`?]+)/g)].map(
      ([, method = "GET", path]) => `${method} ${path}`,
    ),
  );
  expect(advised.length).toBeGreaterThan(5);
  expect(described).toEqual(expect.arrayContaining(advised));
});

test("every reference leads somewhere, and every component is used", () => {
  const text = JSON.stringify(document);
  const used = new Set([...text.matchAll(/"\$ref":"#\/components\/(\w+\/[^"]+)"/g)].map((match) => match[1]));
  const there = Object.entries(document.components).flatMap(([kind, components]) =>
    Object.keys(components).map((name) => `${kind}/${name}`),
  );
  // These two are for requests that are for no route, and one has a header of its own.
  for (const slug of UNROUTED_PROBLEMS) used.add(`responses/${slug}`);
  used.add("headers/Allow");
  // Operations name it without a reference.
  if (text.includes('"security":[{"bearer":[]}')) used.add("securitySchemes/bearer");
  expect(used).toEqual(new Set(there));
});
