/**
 * The problems that a route may answer with, as OpenAPI has them: a status has one description, which may stand for several.
 */
import { PROBLEMS, type ProblemSlug } from "../errors.ts";
import type { Statement } from "../need.ts";
import { statementOf } from "../statements.ts";
import { COMMON_PROBLEMS, type RouteDescription, UNROUTED_PROBLEMS } from "./description.ts";
import { type AnswerHeader, COMMON_HEADERS, headerRefs, POSSIBLE_HEADERS, REJECTION_HEADERS } from "./headers.ts";
import type { JsonSchemas } from "./json-schemas.ts";
import { problemSchema } from "./problem-schema.ts";

/** What single problems tell in a header. */
const OWN_HEADERS: Readonly<Partial<Record<ProblemSlug, readonly AnswerHeader[]>>> = {
  "method-not-allowed": ["Allow"],
  "unsupported-media-type": ["Accept-Patch"],
  unauthenticated: ["WWW-Authenticate"],
  forbidden: ["WWW-Authenticate"],
  "rate-limited": ["Retry-After"],
};

/** All problems that a route may answer with, each once. */
export function problemsOf({ method, path, problems, rejections = [], query }: RouteDescription): ProblemSlug[] {
  const ofQuery = Object.keys(query.schema.shape).map((name) => query.problemOf(name));
  const ofAccess = accessProblems(method, statementOf(`${method} ${path}`));
  return [...new Set<ProblemSlug>([...problems, ...rejections, ...ofQuery, ...ofAccess, ...COMMON_PROBLEMS])];
}

/** What whoever asks may be told of himself. */
function accessProblems(method: string, { action }: Statement): ProblemSlug[] {
  if (action === "none") return [];
  const ofAll: ProblemSlug[] = ["unauthenticated", "forbidden", "rate-limited", "keys-unavailable"];
  return method === "POST" ? [...ofAll, "foreign-origin"] : ofAll;
}

/** The headers that a problem may have, beside those of every answer. */
export function headersOfProblem(slug: ProblemSlug, rejections: readonly ProblemSlug[] = []): AnswerHeader[] {
  return [
    "Cache-Control",
    ...("retryAfterS" in PROBLEMS[slug] ? (["Retry-After"] as const) : []),
    ...(OWN_HEADERS[slug] ?? []),
    ...(rejections.includes(slug) ? REJECTION_HEADERS : []),
  ];
}

/** Of a route, by status. */
export function problemResponses(route: RouteDescription, schemas: JsonSchemas): Record<string, unknown> {
  return Object.fromEntries(
    [...byStatus(route)].map(([status, slugs]) => [
      status,
      isShared(route, slugs)
        ? { $ref: `#/components/responses/${slugs[0]}` }
        : response(slugs, schemas, route.rejections),
    ]),
  );
}

/** A problem that is alone in its status, and no rejection, has the same answer wherever it is: a component. */
export function sharedProblemResponses(
  routes: readonly RouteDescription[],
  schemas: JsonSchemas,
): Record<string, unknown> {
  const shared = routes.flatMap((route) =>
    [...byStatus(route).values()].filter((slugs) => isShared(route, slugs)).flat(),
  );
  const slugs = new Set<ProblemSlug>([...UNROUTED_PROBLEMS, ...shared]);
  return Object.fromEntries([...slugs].map((slug) => [slug, response([slug], schemas)]));
}

function byStatus(route: RouteDescription): Map<number, ProblemSlug[]> {
  const groups = new Map<number, ProblemSlug[]>();
  for (const slug of problemsOf(route)) {
    const { status } = PROBLEMS[slug];
    groups.set(status, [...(groups.get(status) ?? []), slug]);
  }
  return groups;
}

function isShared({ rejections = [] }: RouteDescription, slugs: readonly ProblemSlug[]): boolean {
  return slugs.length === 1 && !slugs.some((slug) => rejections.includes(slug));
}

function response(slugs: readonly ProblemSlug[], schemas: JsonSchemas, rejections?: readonly ProblemSlug[]): unknown {
  const kinds = slugs.map((slug) => schemas.of(problemSchema(slug)));
  const headers = new Set(slugs.flatMap((slug) => headersOfProblem(slug, rejections)));
  return {
    description: slugs.map((slug) => `\`${slug}\`: ${PROBLEMS[slug].title}.`).join("\n\n"),
    headers: headerRefs([...COMMON_HEADERS, ...POSSIBLE_HEADERS, ...headers]),
    content: { "application/problem+json": { schema: kinds.length === 1 ? kinds[0] : { oneOf: kinds } } },
  };
}
