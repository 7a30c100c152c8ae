/**
 * The HTTP contract: routes, and what becomes of everything that goes wrong. Builds the app; listening is elsewhere.
 */
import { Hono } from "hono";
import { OperatingError } from "../core/errors.ts";
import { LETTERS_PATH } from "./dead-letters.ts";
import type { AppDependencies } from "./dependencies.ts";
import { detailOfCode, ProblemError, type ProblemSlug, problemOfCode } from "./errors.ts";
import { type Answer, fromRequest, type Handler, type Incoming, type TextAnswer, toResponse } from "./exchange.ts";
import { JOBS_PATH } from "./jobs.ts";
import { NAMESPACES_PATH } from "./namespace-path.ts";
import { givenRequestId, problemAnswer } from "./problem.ts";
import { acceptPartitionLoss } from "./routes/accept-partition-loss.ts";
import { cancelJob } from "./routes/cancel-job.ts";
import { createJob } from "./routes/create-job.ts";
import { deleteNamespace } from "./routes/delete-namespace.ts";
import { deleteValue } from "./routes/delete-value.ts";
import { discardDeadLetter } from "./routes/discard-dead-letter.ts";
import { discardDeadLetters } from "./routes/discard-dead-letters.ts";
import { getCommand } from "./routes/get-command.ts";
import { getDeadLetter } from "./routes/get-dead-letter.ts";
import { getJob } from "./routes/get-job.ts";
import { getJobEvents } from "./routes/get-job-events.ts";
import { getNamespace } from "./routes/get-namespace.ts";
import { getPartition } from "./routes/get-partition.ts";
import { getValue } from "./routes/get-value.ts";
import { incrementValue } from "./routes/increment-value.ts";
import { listDeadLetters } from "./routes/list-dead-letters.ts";
import { listJobs } from "./routes/list-jobs.ts";
import { listNamespaces } from "./routes/list-namespaces.ts";
import { listPartitions } from "./routes/list-partitions.ts";
import { patchNamespace } from "./routes/patch-namespace.ts";
import { patchValue } from "./routes/patch-value.ts";
import { putNamespace } from "./routes/put-namespace.ts";
import { putValue } from "./routes/put-value.ts";
import { replayDeadLetter } from "./routes/replay-dead-letter.ts";
import { replayDeadLetters } from "./routes/replay-dead-letters.ts";
import { splitTarget } from "./target.ts";

export interface App {
  /** Answers any request. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /**
   * Answers a request whose target begins with KV_PREFIX, as `fetch` would, without a router and fetch's objects between:
   * almost all requests are for keys.
   */
  readonly answerKey: (incoming: Incoming) => Promise<Answer>;
  /** For what never became a request. */
  readonly refuse: (slug: ProblemSlug) => TextAnswer;
}

export function createApp(deps: AppDependencies): App {
  const values = resource(deps, "/v1/kv/{namespace}/{key}", {
    PUT: putValue(deps),
    GET: getValue(deps),
    DELETE: deleteValue(deps),
    PATCH: patchValue(deps),
    POST: incrementValue(deps),
  });
  const letters = resource(deps, "/v1/dead-letters", { GET: listDeadLetters(deps), DELETE: discardDeadLetters(deps) });
  const letter = resource(deps, "/v1/dead-letters/{id}", { GET: getDeadLetter(deps), DELETE: discardDeadLetter(deps) });
  const replayOfSome = resource(deps, "/v1/dead-letters/replay", { POST: replayDeadLetters(deps) });
  const replayOfOne = resource(deps, "/v1/dead-letters/{id}/replay", { POST: replayDeadLetter(deps) });
  const namespaces = resource(deps, NAMESPACES_PATH, { GET: listNamespaces(deps) });
  const namespace = resource(deps, `${NAMESPACES_PATH}/{namespace}`, {
    PUT: putNamespace(deps),
    GET: getNamespace(deps),
    PATCH: patchNamespace(deps),
    DELETE: deleteNamespace(deps),
  });
  const jobs = resource(deps, JOBS_PATH, { GET: listJobs(deps), POST: createJob(deps) });
  const job = resource(deps, `${JOBS_PATH}/{id}`, { GET: getJob(deps), DELETE: cancelJob(deps) });
  const jobEvents = resource(deps, `${JOBS_PATH}/{id}/events`, { GET: getJobEvents(deps) });
  const resources: readonly [pattern: string, answer: Handler][] = [
    // A key may hold slashes: the handlers read the path themselves.
    ["/v1/kv/*", values],
    ["/v1/commands/:id", resource(deps, "/v1/commands/{id}", { GET: getCommand(deps) })],
    ["/v1/partitions", resource(deps, "/v1/partitions", { GET: listPartitions(deps) })],
    [LETTERS_PATH, letters],
    // Before the letters' own: it is not the id of one.
    [`${LETTERS_PATH}/replay`, replayOfSome],
    [`${LETTERS_PATH}/:id`, letter],
    [`${LETTERS_PATH}/:id/replay`, replayOfOne],
    [NAMESPACES_PATH, namespaces],
    [`${NAMESPACES_PATH}/:namespace`, namespace],
    [JOBS_PATH, jobs],
    [`${JOBS_PATH}/:id`, job],
    [`${JOBS_PATH}/:id/events`, jobEvents],
    ["/v1/partitions/:n", resource(deps, "/v1/partitions/{n}", { GET: getPartition(deps) })],
    [
      "/v1/partitions/:n/accept-loss",
      resource(deps, "/v1/partitions/{n}/accept-loss", { POST: acceptPartitionLoss(deps) }),
    ],
  ];
  // Routes are matched as they came, not decoded: the handlers look for what they need at fixed places.
  const hono = new Hono({ getPath: (request) => splitTarget(fromRequest(request).target).path });
  for (const [pattern, answer] of resources) {
    // One route for all methods of a resource: the router then needs no search, and 405 no second look.
    hono.all(pattern, async ({ req: { raw } }) => toResponse(await answer(fromRequest(raw))));
  }
  const refuse = (slug: ProblemSlug, incoming: Incoming) => problem(deps, slug, deps.requestIds.of(incoming));
  hono.notFound(({ req: { raw } }) => toResponse(refuse("not-found", fromRequest(raw))));
  hono.onError((error, { req: { raw } }) => toResponse(failure(deps, error, fromRequest(raw))));
  return {
    fetch: hono.fetch,
    answerKey: values,
    refuse: (slug) => problem(deps, slug, deps.requestIds.next()),
  };
}

/** One handler for all methods of a resource: its failures are answers, and its answers are counted. */
function resource(deps: AppDependencies, route: string, handlers: Readonly<Record<string, Handler>>): Handler {
  const methods = new Map(
    Object.entries(handlers).map(
      ([method, handler]) => [method, withAnswers(deps, deps.counterOf(`${method} ${route}`), handler)] as const,
    ),
  );
  const allow = [...methods.keys()].flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  const refused = withAnswers(deps, deps.counterOf(route), async ({ method }) => {
    throw new ProblemError("method-not-allowed", `${method} is not one of them.`, { Allow: allow });
  });
  return (incoming) => (methods.get(incoming.method === "HEAD" ? "GET" : incoming.method) ?? refused)(incoming);
}

/** A handler whose failures are answers, and whose answers are counted. */
function withAnswers(deps: AppDependencies, count: (status: number) => void, handler: Handler): Handler {
  return async (incoming) => {
    let answer: Answer;
    try {
      answer = await handler(incoming);
      const requestId = givenRequestId(incoming);
      if (requestId !== null) answer.headers["X-Request-Id"] = requestId;
    } catch (error) {
      answer = failure(deps, error, incoming);
    }
    count(answer.status);
    return answer;
  };
}

function failure(deps: AppDependencies, error: unknown, incoming: Incoming): Answer {
  const requestId = deps.requestIds.of(incoming);
  if (error instanceof ProblemError) return problem(deps, error.slug, requestId, error.message, error.headers);
  if (error instanceof OperatingError) {
    return problem(deps, problemOfCode(error.code), requestId, detailOfCode(error.code));
  }
  deps.report(error, requestId);
  return problem(deps, "internal", requestId);
}

function problem(deps: AppDependencies, ...about: Parameters<typeof problemAnswer>): TextAnswer {
  deps.countProblem(about[0]);
  return problemAnswer(...about);
}
