/**
 * Holds an answer against what its route says of itself: status, headers, body and problem must be described.
 */
import { z } from "zod";
import { PROBLEMS, type ProblemSlug } from "../../api/errors.ts";
import { KEY_PATH, KV_PREFIX, NAMESPACE_PATH } from "../../api/key-path.ts";
import {
  COMMON_PROBLEMS,
  type Content,
  type RouteDescription,
  UNROUTED_PROBLEMS,
} from "../../api/openapi/description.ts";
import { COMMON_HEADERS, POSSIBLE_HEADERS } from "../../api/openapi/headers.ts";
import { headersOfProblem, problemsOf } from "../../api/openapi/problem-answers.ts";
import { problemSchema } from "../../api/openapi/problem-schema.ts";
import { ROUTES } from "../../api/routing-table.ts";

export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** What the server and HTTP itself add. */
const UNDESCRIBED = new Set([
  "content-type",
  "content-length",
  "date",
  "connection",
  "keep-alive",
  "transfer-encoding",
]);

const routes = ROUTES.map(({ about }) => ({ about, pattern: patternOf(about.path) }));

/** @returns what of an answer is not described; null when all of it is */
export function breachOf(method: string, target: string, answer: Told): string | null {
  const [path = ""] = target.split("?");
  const here = routes.filter(({ pattern }) => pattern.test(path)).map(({ about }) => about);
  const first = here.find((about) => !about.path.includes("{")) ?? here[0];
  const route = here.find(
    (about) => about.path === first?.path && about.method === (method === "HEAD" ? "GET" : method),
  );
  const said = String(answer.headers["content-type"] ?? "");
  const problem = answer.status >= 400;
  const slug = method === "HEAD" || !problem ? null : slugOf(said, answer.text);
  const missing = COMMON_HEADERS.find((name) => answer.headers[name.toLowerCase()] === undefined);
  if (missing !== undefined) return `no ${missing}`;
  if (route === undefined) {
    const expected: readonly ProblemSlug[] = [UNROUTED_PROBLEMS[first === undefined ? 0 : 1], ...COMMON_PROBLEMS];
    if (!problem) return "a route";
    return slug === null || expected.includes(slug) ? null : `the problem ${slug}`;
  }
  const told = slug === null ? problemsOf(route).filter((one) => PROBLEMS[one].status === answer.status) : [slug];
  if (problem && !told.some((one) => problemsOf(route).includes(one))) return `the problem ${slug ?? answer.status}`;
  const description = route.answers[answer.status];
  if (!problem && description === undefined) return `the status ${answer.status}`;
  const named = problem ? told.flatMap((one) => headersOfProblem(one, route.rejections)) : (description?.headers ?? []);
  const known = new Set([...COMMON_HEADERS, ...POSSIBLE_HEADERS, ...named].map((name) => name.toLowerCase()));
  const unknown = Object.keys(answer.headers).find((name) => !UNDESCRIBED.has(name) && !known.has(name));
  if (unknown !== undefined) return `the header ${unknown}`;
  if (method === "HEAD") return null;
  if (slug !== null) return mismatch(problemSchema(slug), JSON.parse(answer.text));
  return bodyBreach(description?.content, said, answer.text);
}

function bodyBreach(content: Content | undefined, said: string, text: string): string | null {
  if (content === undefined) return text === "" ? null : "a body";
  const [type = ""] = said.split(";");
  if (!(type in content) && !("*/*" in content)) return `the content type ${said}`;
  const schema = content[type];
  return schema ? mismatch(schema, type === "application/json" ? JSON.parse(text) : text) : null;
}

function mismatch(schema: z.ZodType, document: unknown): string | null {
  const parsed = schema.safeParse(document);
  return parsed.success ? null : `the body: ${z.prettifyError(parsed.error)}`;
}

function slugOf(type: string, text: string): ProblemSlug | null {
  if (type !== "application/problem+json") return null;
  return (JSON.parse(text) as { type: string }).type.replace("/problems/", "") as ProblemSlug;
}

function patternOf(path: RouteDescription["path"]): RegExp {
  if (path === KEY_PATH) return new RegExp(`^${KV_PREFIX}[^/]*/.*$`, "s");
  if (path === NAMESPACE_PATH) return new RegExp(`^${KV_PREFIX.slice(0, -1)}(?:/[^/]*)?$`);
  return new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`);
}
