/** `GET /docs`: the contract to read and to try, as Swagger UI shows it. Nothing of it comes from another host. */
import { z } from "zod";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { page, pageHeaders } from "../html.ts";
import { describeRoute } from "../openapi/description.ts";
import type { AnswerHeader } from "../openapi/headers.ts";
import { NO_QUERY } from "../query.ts";
import { answerStatic, type StaticDocument, staticDocument } from "../static-answer.ts";
import { splitTarget } from "../target.ts";

export const PAGE_HEADERS: readonly AnswerHeader[] = [
  "ETag",
  "Cache-Control",
  "Content-Security-Policy",
  "Referrer-Policy",
];

export const getDocsRoute = describeRoute({
  operationId: "getDocs",
  tag: "about",
  method: "GET",
  path: "/docs",
  summary: "This document as a page",
  parameters: {},
  query: NO_QUERY,
  headers: ["IfNoneMatchOfRead"],
  answers: {
    200: { description: "The page.", headers: PAGE_HEADERS, content: { "text/html": z.string() } },
    304: { description: "The ETag in If-None-Match still holds.", headers: PAGE_HEADERS },
  },
  problems: [],
});

export function getDocs({ docsFiles }: AppDependencies): Handler {
  return async (incoming) => {
    getDocsRoute.query.read(splitTarget(incoming.target).query);
    return answerStatic(incoming, await docsPage(docsFiles));
  };
}

async function docsPage(files: AppDependencies["docsFiles"]): Promise<StaticDocument> {
  const [style, bundle, start, icon] = await Promise.all([
    files.pathOf("swagger-ui.css"),
    files.pathOf("swagger-ui-bundle.js"),
    files.pathOf("start.js"),
    files.pathOf("favicon-32x32.png"),
  ]);
  const html = page("Millrace: HTTP API", {
    head: `<link rel="stylesheet" href="${style}">\n<link rel="icon" type="image/png" href="${icon}">`,
    body: `<div id="swagger-ui"></div>\n<script src="${bundle}"></script>\n<script src="${start}"></script>`,
  });
  return staticDocument(
    html,
    pageHeaders({
      "script-src": "'self'",
      "style-src": "'self'",
      // The pictures in Swagger UI's style are data in it.
      "img-src": "'self' data:",
      "connect-src": "'self'",
    }),
  );
}
