/**
 * `GET /v1/watch/{namespace}`: what changes, as server-sent events.
 *
 * Every change that is applied is told once, in order for each key, from where the client was (`Last-Event-ID`, which a
 * browser sends by itself) or from now on. What cannot be told any more is answered 410, or ends the stream as `gone`.
 */
import { z } from "zod";
import { partitionsOfPrefix } from "../../core/partition.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import type { Handler, Incoming } from "../exchange.ts";
import { parseNamespace } from "../key-path.ts";
import { describeRoute } from "../openapi/description.ts";
import { keyParameters, positionSchema, prefixSchema } from "../openapi/parameters.ts";
import { flag, Query } from "../query.ts";
import { DOCUMENT_HEADERS } from "../security-headers.ts";
import { splitTarget } from "../target.ts";
import { decodePosition } from "../watch/position.ts";
import type { Subject } from "../watch/watcher.ts";
import type { Beginning } from "../watch/watches.ts";

const PATH = "/v1/watch/{namespace}";
const NAMESPACE_AT = PATH.indexOf("{");

export const watchNamespaceRoute = describeRoute({
  operationId: "watchNamespace",
  tag: "changes",
  method: "GET",
  path: PATH,
  summary: "Follow what changes",
  description:
    "Events are `put`, `delete` and `expire`; their data is JSON: key, revision, operation, and what else is known. An event's id " +
    "resumes right behind it: no change is missed or told twice. The last event of a stream from which nothing more can be told " +
    "is `gone`; its data is the problem `position-trimmed`.",
  parameters: { namespace: keyParameters.namespace },
  query: new Query(
    {
      prefix: prefixSchema,
      values: flag("The present value comes with an event, where the key is still at the event's revision."),
      from: z
        .enum(["now", "oldest"], { error: "is now or oldest." })
        .default("now")
        .describe("Where to begin without a position: with what comes, or with the oldest change that is kept."),
      last_event_id: positionSchema.optional().describe("As Last-Event-ID, for clients that cannot send headers."),
    },
    "invalid-parameter",
    { last_event_id: "invalid-position" },
  ),
  headers: ["LastEventId"],
  answers: {
    200: {
      description: "Events, for as long as the client takes them.",
      headers: ["Cache-Control", "X-Accel-Buffering"],
      content: { "text/event-stream": z.string() },
    },
  },
  problems: ["invalid-namespace", "invalid-position", "position-trimmed", "log-unavailable", "store-unavailable"],
});

export function watchNamespace(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { subject, beginning } = parseAsked(incoming, deps.partitions);
    const headers = {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      ...DOCUMENT_HEADERS,
      // nginx would keep events back to fill its buffers.
      "X-Accel-Buffering": "no",
    };
    const body = incoming.method === "HEAD" ? null : await deps.watches.open(subject, beginning);
    return { status: 200, headers, body };
  };
}

function parseAsked(incoming: Incoming, partitionCount: number): { subject: Subject; beginning: Beginning } {
  const { path, query } = splitTarget(incoming.target);
  const namespace = parseNamespace(path.slice(NAMESPACE_AT));
  const { prefix, values, from, last_event_id } = watchNamespaceRoute.query.read(query);
  const partitions = partitionsOfPrefix(namespace, prefix, partitionCount);
  // A browser repeats its request as it was, with the header on top: that is the newest word.
  const position = incoming.header("last-event-id") || last_event_id;
  const beginning = position ? parsePosition(position, partitions.length) : from;
  return { subject: { namespace, prefix, values, partitions }, beginning };
}

function parsePosition(position: string, count: number): Beginning {
  const cursors = decodePosition(position, count);
  if (cursors === null) throw new ProblemError("invalid-position", "Use the id of an event of the same prefix.");
  return cursors;
}
