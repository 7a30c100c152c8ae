/**
 * The HTTP contract: routes, and what becomes of everything that goes wrong. Builds the app; listening is elsewhere.
 */
import type { Span } from "@opentelemetry/api";
import { Hono } from "hono";
import { ATTRIBUTES } from "../core/telemetry.ts";
import { formatTraceparent } from "../core/trace-context.ts";
import type { Visit } from "./access.ts";
import { ANYBODY } from "./caller.ts";
import type { AppDependencies } from "./dependencies.ts";
import { describeFailure, ProblemError, type ProblemSlug } from "./errors.ts";
import { type Answer, fromRequest, type Handler, type Incoming, type TextAnswer, toResponse } from "./exchange.ts";
import { KEY_PATH, KV_PREFIX, NAMESPACE_PATH, namesKey } from "./key-path.ts";
import { problemAnswer } from "./problem.ts";
import { requestSpans } from "./request-span.ts";
import { ROUTES } from "./routing-table.ts";
import { statementOf } from "./statements.ts";
import { splitTarget } from "./target.ts";

export interface App {
  /** Answers any request. */
  readonly fetch: (request: Request, peer?: Peer) => Response | Promise<Response>;
  /**
   * Answers a request whose target begins with KV_PREFIX, as `fetch` would, without a router and fetch's objects between:
   * almost all requests are for keys.
   */
  readonly answerKey: (incoming: Incoming) => Promise<Answer>;
  /** For what never became a request. */
  readonly refuse: (slug: ProblemSlug) => TextAnswer;
}

/** Where a request came from, as far as the server knows. */
export interface Peer {
  readonly address: string | null;
}

type Answering = (incoming: Incoming) => Promise<Answer>;

export function createApp(deps: AppDependencies): App {
  const values = resource(deps, KEY_PATH);
  const keys = resource(deps, NAMESPACE_PATH);
  const answerKey: Answering = (incoming) => (namesKey(incoming.target) ? values : keys)(incoming);
  const answers = new Map([
    [KEY_PATH, answerKey],
    [NAMESPACE_PATH, keys],
  ]);
  // Routes are matched as they came, not decoded: the handlers look for what they need at fixed places.
  const hono = new Hono<{ Bindings: Peer }>({ getPath: (request) => splitTarget(fromRequest(request).target).path });
  for (const path of ROUTED_PATHS) {
    const answer = answers.get(path) ?? resource(deps, path);
    // One route for all methods of a resource: the router then needs no search, and 405 no second look.
    hono.all(patternOf(path), async ({ req: { raw }, env }) => toResponse(await answer(fromRequest(raw, env.address))));
  }
  const refuse = (slug: ProblemSlug, incoming: Incoming) => {
    const answer = problem(deps, slug, deps.requestIds.of(incoming));
    deps.cors?.tell(incoming, answer);
    return answer;
  };
  hono.notFound(({ req: { raw } }) => toResponse(refuse("not-found", fromRequest(raw))));
  hono.onError((error, { req: { raw } }) => {
    const incoming = fromRequest(raw);
    return toResponse(failure(deps, error, deps.requestIds.of(incoming), incoming.span));
  });
  return {
    fetch: (request, peer = { address: null }) => hono.fetch(request, peer),
    answerKey,
    refuse: (slug) => problem(deps, slug, deps.requestIds.next()),
  };
}

/** Fixed parts before those that vary: `/v1/dead-letters/replay` is not the letter `replay`. */
const ROUTED_PATHS: readonly string[] = [...new Set(ROUTES.map(({ about }) => about.path))].sort((one, other) =>
  one.replaceAll("{", "~") < other.replaceAll("{", "~") ? -1 : 1,
);

const DESCRIPTIONS = ROUTES.map(({ about }) => about);

/** How Hono writes a path. A key may hold slashes: its handlers read the path themselves. */
function patternOf(path: string): string {
  return path === KEY_PATH ? `${KV_PREFIX}*` : path.replaceAll(/\{(\w+)\}/g, ":$1");
}

/**
 * One handler for all methods of a resource: its failures are answers, and its answers are counted.
 * @throws Error when one of them states nowhere what it needs: nobody could be refused
 */
function resource(deps: AppDependencies, path: string): Answering {
  const methods = new Map<string, Answering>();
  for (const { about, handler } of ROUTES) {
    if (about.path !== path) continue;
    methods.set(about.method, withAnswers(deps, `${about.method} ${path}`, handler(deps, DESCRIPTIONS)));
  }
  const allow = [...methods.keys()].flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  const refused = withAnswers(deps, path, async (incoming) => {
    const preflight = deps.cors?.preflight(incoming, allow);
    if (preflight) return preflight;
    throw new ProblemError("method-not-allowed", `${incoming.method} is not one of them.`, { Allow: allow });
  });
  return (incoming) => (methods.get(incoming.method === "HEAD" ? "GET" : incoming.method) ?? refused)(incoming);
}

/** A handler that is called when its gate lets in, whose failures are answers, and whose answers are counted. */
function withAnswers(deps: AppDependencies, name: string, handler: Handler): Answering {
  const count = deps.counterOf(name);
  const spans = requestSpans(deps.tracer, name);
  // A path without a method is what refuses all others.
  const gate = name.startsWith("/") ? null : deps.access.gateOf(name, statementOf(name));
  return async (incoming) => {
    const begunMs = performance.now();
    const requestId = deps.requestIds.of(incoming);
    spans.begin(incoming, requestId, begunMs);
    const visit: Visit | null = gate && { headers: {}, who: null };
    let answer: Answer;
    try {
      answer = await handler(incoming, gate && visit ? await gate.enter(incoming, visit) : ANYBODY);
      answer.headers["X-Request-Id"] = requestId;
    } catch (error) {
      answer = failure(deps, error, requestId, incoming.span);
    }
    if (gate && visit) answer = gate.leave(incoming, visit, answer);
    deps.cors?.tell(incoming, answer);
    count(answer.status, begunMs);
    spans.end(incoming, answer);
    return answer;
  };
}

function failure(deps: AppDependencies, error: unknown, requestId: string, span: Span): Answer {
  const known = describeFailure(error);
  span.setAttribute(ATTRIBUTES.problem, known?.slug ?? "internal");
  if (known) return problem(deps, known.slug, requestId, known.detail, known.headers, known.members);
  deps.report(error, requestId, formatTraceparent(span.spanContext()));
  return problem(deps, "internal", requestId);
}

function problem(deps: AppDependencies, ...about: Parameters<typeof problemAnswer>): TextAnswer {
  deps.countProblem(about[0]);
  return problemAnswer(...about);
}
