/**
 * What each route needs: the one place where that is stated. A route that states nothing does not compile, and an app that
 * has one does not start.
 */
import { ofEntry, ofEverything, ofKey, ofNamespace, ofPrefix, ofSome, open, type Statement } from "./need.ts";

export const STATEMENTS = {
  "PUT /v1/kv/{namespace}/{key}": ofKey("write"),
  "GET /v1/kv/{namespace}/{key}": ofKey("read"),
  "DELETE /v1/kv/{namespace}/{key}": ofKey("write"),
  "PATCH /v1/kv/{namespace}/{key}": ofKey("write"),
  // What the counter comes to is the result of a write.
  "POST /v1/kv/{namespace}/{key}": ofKey("write"),
  "POST /v1/batch/{namespace}": ofSome("write", "/v1/batch/"),
  "POST /v1/txn/{namespace}": ofSome("write", "/v1/txn/"),
  "GET /v1/kv/{namespace}": ofPrefix("read", "/v1/kv/"),
  "GET /v1/watch/{namespace}": ofPrefix("read", "/v1/watch/"),
  // Whoever may do something with a key may ask what became of its commands.
  "GET /v1/commands/{id}": ofEntry("any"),
  "GET /v1/namespaces": ofEverything("admin"),
  "PUT /v1/namespaces/{namespace}": ofNamespace("admin", "/v1/namespaces/"),
  "GET /v1/namespaces/{namespace}": ofNamespace("read", "/v1/namespaces/"),
  "PATCH /v1/namespaces/{namespace}": ofNamespace("admin", "/v1/namespaces/"),
  "DELETE /v1/namespaces/{namespace}": ofNamespace("admin", "/v1/namespaces/"),
  "GET /v1/jobs": ofEverything("admin"),
  // The body names the namespace and the prefix.
  "POST /v1/jobs": ofEntry("admin"),
  "GET /v1/jobs/{id}": ofEntry("admin"),
  "DELETE /v1/jobs/{id}": ofEntry("admin"),
  "GET /v1/jobs/{id}/events": ofEntry("admin"),
  "GET /v1/partitions": ofEverything("admin"),
  "GET /v1/partitions/{n}": ofEverything("admin"),
  "POST /v1/partitions/{n}/accept-loss": ofEverything("admin"),
  // Whatever the filter: counts, cursor and the time it takes tell of all letters of a partition.
  "GET /v1/dead-letters": ofEverything("admin"),
  "DELETE /v1/dead-letters": ofEverything("admin"),
  "POST /v1/dead-letters/replay": ofEverything("admin"),
  "GET /v1/dead-letters/{id}": ofEntry("admin"),
  "DELETE /v1/dead-letters/{id}": ofEntry("admin"),
  "POST /v1/dead-letters/{id}/replay": ofEntry("admin"),
  "GET /openapi.json": open,
  "GET /docs": open,
  "GET /docs/{file}": open,
  "GET /problems": open,
  "GET /problems/{slug}": open,
} as const satisfies Record<string, Statement>;

export type RouteName = keyof typeof STATEMENTS;

/** @throws Error where a route states nothing */
export function statementOf(name: string): Statement {
  if (!Object.hasOwn(STATEMENTS, name)) throw new Error(`${name} states nothing in statements.ts`);
  return STATEMENTS[name as RouteName];
}
