/** `GET /openapi.json`: the OpenAPI document of this contract. */
import { z } from "zod";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { JSON_TYPE } from "../media-type.ts";
import { describeRoute, type RouteDescription } from "../openapi/description.ts";
import { openApiDocument } from "../openapi/document.ts";
import { NO_QUERY } from "../query.ts";
import { answerStatic, type StaticDocument, staticDocument } from "../static-answer.ts";
import { splitTarget } from "../target.ts";

export const getOpenApiRoute = describeRoute({
  operationId: "getOpenApi",
  tag: "about",
  method: "GET",
  path: "/openapi.json",
  summary: "This document",
  parameters: {},
  query: NO_QUERY,
  headers: ["IfNoneMatchOfRead"],
  answers: {
    200: {
      description: "OpenAPI 3.1.",
      headers: ["ETag", "Cache-Control"],
      content: { [JSON_TYPE]: z.looseObject({ openapi: z.string() }) },
    },
    304: { description: "The ETag in If-None-Match still holds.", headers: ["ETag", "Cache-Control"] },
  },
  problems: [],
});

/** As it is served, and kept in `docs/openapi.json`. */
export function openApiText(routes: readonly RouteDescription[]): string {
  return `${JSON.stringify(openApiDocument(routes), null, 2)}\n`;
}

export function getOpenApi(_: AppDependencies, routes: readonly RouteDescription[]): Handler {
  // Made when it is first asked for: a start does not wait for it.
  let document: Promise<StaticDocument> | undefined;
  return async (incoming) => {
    getOpenApiRoute.query.read(splitTarget(incoming.target).query);
    document ??= staticDocument(openApiText(routes), { "Content-Type": JSON_TYPE });
    return answerStatic(incoming, await document);
  };
}
