/**
 * The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), made from the descriptions of the routes. It holds nothing
 * of the installation: every one with the same code has the same document.
 */
import type { z } from "zod";
import { PROBLEMS, type ProblemSlug } from "../errors.ts";
import {
  type AnswerDescription,
  COMMON_PROBLEMS,
  type Content,
  type RouteDescription,
  TAGS,
  UNROUTED_PROBLEMS,
} from "./description.ts";
import {
  ANSWER_HEADERS,
  type AnswerHeader,
  COMMON_HEADERS,
  REJECTION_HEADERS,
  REQUEST_HEADERS,
  type RequestHeader,
} from "./headers.ts";
import { type JsonSchema, JsonSchemas } from "./json-schemas.ts";
import { problemSchema } from "./problem-schema.ts";

export type OpenApiDocument = ReturnType<typeof openApiDocument>;

const DESCRIPTION = `A key-value store whose writes are a durable, ordered log of commands.

A write is accepted (202) when it is in the log, and applied when the store's watermark has passed it; \`Prefer: wait=<seconds>\`
holds the answer for the real result. Values are bytes with their content type. Whatever goes wrong is \`application/problem+json\`
(RFC 9457) with a \`type\` that never changes its meaning and is documented at its own URL.

Every GET answers HEAD too. A path that is not here is answered with the problem \`not-found\`, a method with \`method-not-allowed\`
and the header Allow. Members of answers that you do not know are to be ignored.`;

export function openApiDocument(routes: readonly RouteDescription[]) {
  const schemas = new JsonSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const item = paths[route.path] ?? {};
    paths[route.path] = item;
    const operation = describeOperation(route, schemas);
    item[route.method.toLowerCase()] = operation;
    if (route.method === "GET") item.head = headOf(operation);
  }
  const told = new Set<ProblemSlug>([...UNROUTED_PROBLEMS, ...routes.flatMap((route) => aloneIn(route))]);
  const responses = Object.fromEntries([...told].map((slug) => [slug, problemResponse([slug], [], schemas)]));
  const headers = Object.fromEntries(
    Object.entries(ANSWER_HEADERS).map(([name, { description, schema }]) => [
      name,
      { description, schema: schemas.of(schema) },
    ]),
  );
  const parameters = Object.fromEntries(
    Object.entries(REQUEST_HEADERS).map(([component, { name, description, schema }]) => [
      component,
      { name, in: "header", description, schema: schemas.of(schema) },
    ]),
  );
  return {
    openapi: "3.1.1",
    // Of the contract, as the paths say it, and not of the program.
    info: {
      title: "Millrace",
      version: "1",
      description: DESCRIPTION,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "Where this document comes from" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: { headers, parameters, responses, schemas: schemas.finish() },
  };
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly responses: Record<string, { content?: unknown }>;
}

function describeOperation(route: RouteDescription, schemas: JsonSchemas): Operation {
  const { operationId, tag, summary, description, body, answers, query } = route;
  const parameters = [
    ...Object.entries(route.parameters).map(([name, schema]) => parameter("path", name, schema, schemas)),
    ...Object.entries(query.schema.shape as Record<string, z.ZodType>).map(([name, schema]) =>
      parameter("query", name, schema, schemas),
    ),
    ...(["RequestId", ...(route.headers ?? [])] satisfies RequestHeader[]).map((name) => ({
      $ref: `#/components/parameters/${name}`,
    })),
  ];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    parameters,
    ...(body && { requestBody: { description: body.description, content: content(body.content, schemas) } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, response(answer, schemas)])),
      ...problemResponses(route, schemas),
    },
  } as Operation;
}

/** What a GET answers without its body. */
function headOf({ operationId, summary, responses, ...rest }: Operation): unknown {
  return {
    operationId: `${operationId}Head`,
    summary: `${summary}: the headers alone`,
    ...rest,
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, response]) => {
        const { content: _, ...more } = response;
        return [status, more];
      }),
    ),
  };
}

function parameter(place: "path" | "query", name: string, schema: z.ZodType, schemas: JsonSchemas): unknown {
  return {
    name,
    in: place,
    ...((place === "path" || !schema.safeParse(undefined).success) && { required: true }),
    ...(schema.description !== undefined && { description: schema.description }),
    schema: schemas.of(schema),
  };
}

function response({ description, headers = [], ...answer }: AnswerDescription, schemas: JsonSchemas): unknown {
  return {
    description,
    headers: headerRefs([...COMMON_HEADERS, ...headers]),
    ...(answer.content && { content: content(answer.content, schemas) }),
  };
}

function content(types: Content, schemas: JsonSchemas): unknown {
  return Object.fromEntries(
    Object.entries(types).map(([type, schema]) => [type, schema === null ? {} : { schema: schemas.of(schema) }]),
  );
}

function headerRefs(names: readonly AnswerHeader[]): unknown {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** The problems of a route, by their status: a status has one description, which may stand for several problems. */
function problemResponses(route: RouteDescription, schemas: JsonSchemas): Record<string, unknown> {
  return Object.fromEntries(
    [...byStatus(route)].map(([status, slugs]) => [
      status,
      isShared(route, slugs)
        ? { $ref: `#/components/responses/${slugs[0]}` }
        : problemResponse(slugs, headersOf(route, slugs), schemas),
    ]),
  );
}

function byStatus(route: RouteDescription): Map<number, ProblemSlug[]> {
  const groups = new Map<number, ProblemSlug[]>();
  for (const slug of problemsOf(route)) {
    const { status } = PROBLEMS[slug];
    groups.set(status, [...(groups.get(status) ?? []), slug]);
  }
  return groups;
}

/** A problem that is alone in its status, with nothing beside it, has the same answer wherever it is: a component. */
function isShared(route: RouteDescription, slugs: readonly ProblemSlug[]): boolean {
  return slugs.length === 1 && headersOf(route, slugs).length === 0;
}

function aloneIn(route: RouteDescription): ProblemSlug[] {
  return [...byStatus(route).values()].filter((slugs) => isShared(route, slugs)).flat();
}

function headersOf({ rejections = [] }: RouteDescription, slugs: readonly ProblemSlug[]): readonly AnswerHeader[] {
  return slugs.some((slug) => rejections.includes(slug)) ? REJECTION_HEADERS : [];
}

/** All problems that a route may answer with, each once. */
export function problemsOf({ problems, rejections = [], query }: RouteDescription): ProblemSlug[] {
  const ofQuery = Object.keys(query.schema.shape).map((name) => query.problemOf(name));
  return [...new Set<ProblemSlug>([...problems, ...rejections, ...ofQuery, ...COMMON_PROBLEMS])];
}

function problemResponse(
  slugs: readonly ProblemSlug[],
  headers: readonly AnswerHeader[],
  schemas: JsonSchemas,
): unknown {
  const retry: AnswerHeader[] = slugs.some((slug) => "retryAfterS" in PROBLEMS[slug]) ? ["Retry-After"] : [];
  const allow: AnswerHeader[] = slugs.includes("method-not-allowed") ? ["Allow"] : [];
  const patch: AnswerHeader[] = slugs.includes("unsupported-media-type") ? ["Accept-Patch"] : [];
  const kinds = slugs.map((slug) => schemas.of(problemSchema(slug)));
  return {
    description: slugs.map((slug) => `\`${slug}\`: ${PROBLEMS[slug].title}.`).join("\n\n"),
    headers: headerRefs([...COMMON_HEADERS, "Cache-Control", ...retry, ...allow, ...patch, ...headers]),
    content: {
      "application/problem+json": { schema: kinds.length === 1 ? kinds[0] : ({ oneOf: kinds } as JsonSchema) },
    },
  };
}
