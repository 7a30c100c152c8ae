/**
 * The HTTP contract: routes, and what becomes of everything that goes wrong. Builds the app; listening is elsewhere.
 */
import { Hono } from "hono";
import { OperatingError } from "../core/errors.ts";
import type { AppDependencies, Handler } from "./dependencies.ts";
import { detailOfCode, ProblemError, problemOfCode } from "./errors.ts";
import { problemResponse } from "./problem.ts";
import { deleteValue } from "./routes/delete-value.ts";
import { getCommand } from "./routes/get-command.ts";
import { getValue } from "./routes/get-value.ts";
import { incrementValue } from "./routes/increment-value.ts";
import { listPartitions } from "./routes/list-partitions.ts";
import { putValue } from "./routes/put-value.ts";

export function createApp(deps: AppDependencies): Hono {
  const app = new Hono();
  const resources: readonly [pattern: string, route: string, methods: Readonly<Record<string, Handler>>][] = [
    [
      // A key may hold slashes: the handlers read the path themselves.
      "/v1/kv/*",
      "/v1/kv/{namespace}/{key}",
      { PUT: putValue(deps), GET: getValue(deps), DELETE: deleteValue(deps), POST: incrementValue(deps) },
    ],
    ["/v1/commands/:id", "/v1/commands/{id}", { GET: getCommand(deps) }],
    ["/v1/partitions", "/v1/partitions", { GET: listPartitions(deps) }],
  ];
  for (const [pattern, route, methods] of resources) {
    const counted = Object.entries(methods).map(
      ([method, handler]) => [method, withAnswers(deps, deps.counterOf(`${method} ${route}`), handler)] as const,
    );
    const handlers = new Map(counted);
    const allow = [...handlers.keys()].flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
    // One route for all methods of a resource: the router then needs no search, and 405 no second look.
    app.all(pattern, ({ req: { raw } }) => {
      const handler = handlers.get(raw.method === "HEAD" ? "GET" : raw.method);
      if (handler) return handler(raw);
      throw new ProblemError("method-not-allowed", `${raw.method} is not one of them.`, { Allow: allow });
    });
  }
  app.notFound((context) => problemResponse("not-found", deps.requestIds.of(context.req.raw)));
  app.onError((error, context) => failure(deps, error, context.req.raw));
  return app;
}

/** A handler whose failures are answers, and whose answers are counted. */
function withAnswers(deps: AppDependencies, count: (status: number) => void, handler: Handler): Handler {
  return async (request) => {
    let response: Response;
    try {
      response = await handler(request);
    } catch (error) {
      response = failure(deps, error, request);
    }
    count(response.status);
    return response;
  };
}

function failure(deps: AppDependencies, error: unknown, request: Request): Response {
  const requestId = deps.requestIds.of(request);
  if (error instanceof ProblemError) return problemResponse(error.slug, requestId, error.message, error.headers);
  if (error instanceof OperatingError) {
    return problemResponse(problemOfCode(error.code), requestId, detailOfCode(error.code));
  }
  deps.report(error, requestId);
  return problemResponse("internal", requestId);
}
