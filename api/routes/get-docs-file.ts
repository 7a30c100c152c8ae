/** `GET /docs/{file}`: what the pages load. A file's name changes with its content, so it may be kept for ever. */
import { z } from "zod";
import type { AppDependencies } from "../dependencies.ts";
import { DOCS_PREFIX } from "../docs-files.ts";
import { ProblemError } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { describeRoute } from "../openapi/description.ts";
import { NO_QUERY } from "../query.ts";
import { answerStatic } from "../static-answer.ts";
import { splitTarget } from "../target.ts";

export const getDocsFileRoute = describeRoute({
  operationId: "getDocsFile",
  tag: "about",
  method: "GET",
  path: "/docs/{file}",
  summary: "What the pages load",
  parameters: { file: z.string().describe("As a page names it.") },
  query: NO_QUERY,
  headers: ["IfNoneMatchOfRead"],
  answers: {
    200: {
      description: "The file.",
      headers: ["ETag", "Cache-Control"],
      content: { "text/css": z.string(), "text/javascript": z.string(), "image/png": null },
    },
    304: { description: "The ETag in If-None-Match still holds.", headers: ["ETag", "Cache-Control"] },
  },
  problems: ["not-found"],
});

export function getDocsFile({ docsFiles }: AppDependencies): Handler {
  return async (incoming) => {
    const { path, query } = splitTarget(incoming.target);
    getDocsFileRoute.query.read(query);
    const file = await docsFiles.find(path.slice(DOCS_PREFIX.length));
    if (file === null) throw new ProblemError("not-found");
    return answerStatic(incoming, file);
  };
}
