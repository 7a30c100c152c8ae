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
    const allow = Object.keys(methods).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
    // One route for all methods of a resource: the router then needs no search, and 405 no second look.
    app.all(pattern, ({ req: { raw } }) => {
      const method = raw.method === "HEAD" ? "GET" : raw.method;
      const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (handler) return answer(deps, `${method} ${route}`, handler, raw);
      throw new ProblemError("method-not-allowed", `${raw.method} is not one of them.`, { Allow: allow.join(", ") });
    });
  }
  app.notFound((context) => problemResponse("not-found", deps.requestIds.of(context.req.raw)));
  app.onError((error, context) => failure(deps, error, context.req.raw));
  return app;
}

/** Runs a handler and counts what it answers. */
async function answer(deps: AppDependencies, route: string, handler: Handler, request: Request): Promise<Response> {
  let response: Response;
  try {
    response = await handler(request);
  } catch (error) {
    response = failure(deps, error, request);
  }
  deps.count(route, response.status);
  return response;
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
