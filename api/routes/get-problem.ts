/** `GET /problems/{slug}`: what a problem means and what to do about it. The `type` of each problem leads here. */
import { z } from "zod";
import type { AppDependencies } from "../dependencies.ts";
import { PROBLEMS, ProblemError, type ProblemSlug } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { JSON_TYPE } from "../media-type.ts";
import { describeRoute } from "../openapi/description.ts";
import { answerEither, problemBody, tellProblem } from "../problem-pages.ts";
import { NO_QUERY } from "../query.ts";
import { splitTarget } from "../target.ts";
import { PAGE_HEADERS } from "./get-docs.ts";
import { problemTypeSchema } from "./list-problems.ts";

export const getProblemRoute = describeRoute({
  operationId: "getProblem",
  tag: "about",
  method: "GET",
  path: "/problems/{slug}",
  summary: "What a problem means, and what to do about it",
  description: "A page to who would rather have text/html, else a document.",
  parameters: { slug: z.string().describe("The last part of a problem's type.") },
  query: NO_QUERY,
  headers: ["IfNoneMatchOfRead"],
  answers: {
    200: {
      description: "The problem.",
      headers: [...PAGE_HEADERS, "Vary"],
      content: { [JSON_TYPE]: problemTypeSchema, "text/html": z.string() },
    },
    304: { description: "The ETag in If-None-Match still holds.", headers: [...PAGE_HEADERS, "Vary"] },
  },
  problems: ["not-found"],
});

export function getProblem({ docsFiles }: AppDependencies): Handler {
  return async (incoming) => {
    const { path, query } = splitTarget(incoming.target);
    getProblemRoute.query.read(query);
    const slug = path.slice("/problems/".length);
    if (!isProblem(slug)) throw new ProblemError("not-found");
    const { title } = PROBLEMS[slug];
    return answerEither(incoming, docsFiles, { title, body: problemBody(slug), document: tellProblem(slug) });
  };
}

function isProblem(slug: string): slug is ProblemSlug {
  return Object.hasOwn(PROBLEMS, slug);
}
