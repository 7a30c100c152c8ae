/** `GET /problems`: every problem that an answer may be, as a page or as a document. */
import { z } from "zod";
import type { AppDependencies } from "../dependencies.ts";
import { PROBLEMS, type ProblemSlug } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { JSON_TYPE } from "../media-type.ts";
import { describeRoute } from "../openapi/description.ts";
import { answerEither, problemListBody, tellProblem } from "../problem-pages.ts";
import { NO_QUERY } from "../query.ts";
import { splitTarget } from "../target.ts";
import { PAGE_HEADERS } from "./get-docs.ts";

export const problemTypeSchema = z
  .strictObject({
    type: z.string().describe("Its URL, as the `type` of a problem says it."),
    status: z.int().min(400).max(599),
    title: z.string(),
    meaning: z.string(),
    advice: z.string().describe("What a client should do."),
    retryAfterS: z.int().min(1).optional().describe("Of what passes by itself: seconds."),
  })
  .meta({ id: "ProblemType" });

export const listProblemsRoute = describeRoute({
  operationId: "listProblems",
  tag: "about",
  method: "GET",
  path: "/problems",
  summary: "Every problem that an answer may be",
  description: "A page to who would rather have text/html, else a document.",
  parameters: {},
  query: NO_QUERY,
  headers: ["IfNoneMatchOfRead"],
  answers: {
    200: {
      description: "All of them.",
      headers: [...PAGE_HEADERS, "Vary"],
      content: {
        [JSON_TYPE]: z.strictObject({ problems: z.array(problemTypeSchema) }).meta({ id: "ProblemTypes" }),
        "text/html": z.string(),
      },
    },
    304: { description: "The ETag in If-None-Match still holds.", headers: [...PAGE_HEADERS, "Vary"] },
  },
  problems: [],
});

export function listProblems({ docsFiles }: AppDependencies): Handler {
  const slugs = Object.keys(PROBLEMS) as ProblemSlug[];
  const answer = { title: "Problems", body: problemListBody(slugs), document: { problems: slugs.map(tellProblem) } };
  return async (incoming) => {
    listProblemsRoute.query.read(splitTarget(incoming.target).query);
    return answerEither(incoming, docsFiles, answer);
  };
}
