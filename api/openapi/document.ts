/**
 * The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), made from the descriptions of the routes. It holds nothing
 * of the installation: every one with the same code has the same document.
 */
import type { z } from "zod";
import { statementOf } from "../statements.ts";
import { type AnswerDescription, type Content, type RouteDescription, TAGS } from "./description.ts";
import {
  ANSWER_HEADERS,
  COMMON_HEADERS,
  headerRefs,
  POSSIBLE_HEADERS,
  REQUEST_HEADERS,
  type RequestHeader,
} from "./headers.ts";
import { JsonSchemas } from "./json-schemas.ts";
import { problemResponses, sharedProblemResponses } from "./problem-answers.ts";

const DESCRIPTION = `A key-value store whose writes are a durable, ordered log of commands.

A write is accepted (202) when it is in the log, and applied when the store's watermark has passed it; \`Prefer: wait=<seconds>\`
holds the answer for the real result. Values are bytes with their content type. Whatever goes wrong is \`application/problem+json\`
(RFC 9457) with a \`type\` that never changes its meaning and is documented at its own URL.

Every GET answers HEAD too. A path that is not here is answered with the problem \`not-found\`, a method with \`method-not-allowed\`
and the header Allow. Members of answers that you do not know are to be ignored.`;

const SECURITY_SCHEMES = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description:
      "A token of the tokens file, or a JWT. It has scopes: namespaces, a prefix of keys, and actions (`read`, `write`, `admin`).",
  },
};

/** An installation that has no tokens takes none. */
const SECURITY = [{ bearer: [] }, {}];

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
  const responses = sharedProblemResponses(routes, schemas);
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
    components: { headers, parameters, responses, schemas: schemas.finish(), securitySchemes: SECURITY_SCHEMES },
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
    security: statementOf(`${route.method} ${route.path}`).action === "none" ? [] : SECURITY,
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
    headers: headerRefs([...COMMON_HEADERS, ...POSSIBLE_HEADERS, ...headers]),
    ...(answer.content && { content: content(answer.content, schemas) }),
  };
}

function content(types: Content, schemas: JsonSchemas): unknown {
  return Object.fromEntries(
    Object.entries(types).map(([type, schema]) => [type, schema === null ? {} : { schema: schemas.of(schema) }]),
  );
}
