/**
 * `GET` and `HEAD /v1/kv/{namespace}/{key}`: the value with its content type. How new it is: see current-read.ts.
 */

import { formatRevision, idTimeMs } from "../../core/entry-id.ts";
import { partitionOf } from "../../core/partition.ts";
import { isLive } from "../../core/stored-value.ts";
import { readCurrent } from "../current-read.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { tellMoment } from "../expiry.ts";
import { KEY_PATH, parseKeyPath } from "../key-path.ts";
import { describeRoute } from "../openapi/description.ts";
import type { AnswerHeader } from "../openapi/headers.ts";
import { keyParameters } from "../openapi/parameters.ts";
import { isNotModified, parseMinRevision } from "../precondition.ts";
import { Query, REPLICA_PARAMETER } from "../query.ts";
import { VALUE_HEADERS } from "../security-headers.ts";
import { KEY_PROBLEMS } from "../write-description.ts";

const TOLD_HEADERS: readonly AnswerHeader[] = [
  "ETag",
  "Millrace-Revision",
  "Last-Modified",
  "Millrace-Expires-At",
  "Millrace-Metadata",
  "Cache-Control",
  "Content-Security-Policy",
];

export const getValueRoute = describeRoute({
  operationId: "getValue",
  tag: "values",
  method: "GET",
  path: KEY_PATH,
  summary: "Read a value",
  parameters: keyParameters,
  query: new Query({
    consistency: REPLICA_PARAMETER,
  }),
  headers: ["IfNoneMatchOfRead", "MinRevision", "Prefer"],
  answers: {
    200: { description: "The value, with its content type.", headers: TOLD_HEADERS, content: { "*/*": null } },
    304: { description: "The ETag in If-None-Match still holds.", headers: TOLD_HEADERS },
  },
  problems: [
    ...KEY_PROBLEMS,
    "invalid-revision",
    "key-not-found",
    "store-unavailable",
    "revision-not-reached",
    "partition-recovering",
  ],
});

export function getValue(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { namespace, key, query } = parseKeyPath(incoming.target);
    const replica = getValueRoute.query.read(query).consistency !== undefined;
    const partition = partitionOf(namespace, key, deps.partitions);
    const least = parseMinRevision(incoming.header("millrace-min-revision"), partition, deps.partitions);
    const store = replica ? deps.replicas : deps.store;
    const { stored } = await readCurrent(deps, incoming, { partition, least, replica }, () =>
      store.read(partition, namespace, key),
    );
    if (stored === null || !isLive(stored, deps.now())) throw new ProblemError("key-not-found");
    const revision = formatRevision(partition, stored.id);
    const etag = `"${revision}"`;
    const headers: Record<string, string> = {
      ETag: etag,
      "Millrace-Revision": revision,
      "Last-Modified": new Date(idTimeMs(stored.id)).toUTCString(),
      // Without a word on it, a cache may keep a value for a tenth of its age (RFC 9111, 4.2.2).
      "Cache-Control": "no-cache",
      ...VALUE_HEADERS,
    };
    if (stored.expiresMs !== undefined) headers["Millrace-Expires-At"] = String(tellMoment(stored.expiresMs));
    if (stored.metadata !== undefined) headers["Millrace-Metadata"] = stored.metadata;
    if (isNotModified(incoming.header("if-none-match"), etag)) return { status: 304, headers, body: null };
    headers["Content-Type"] = stored.contentType;
    if (incoming.method !== "HEAD") return { status: 200, headers, body: stored.value };
    headers["Content-Length"] = String(stored.value.byteLength);
    return { status: 200, headers, body: null };
  };
}
