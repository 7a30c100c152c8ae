/**
 * What every route asks for and every kind of caller may, said a second time and by hand: the authorization matrix holds the
 * app against it. A new route takes a line in LINES.
 */
import type { Action, Scope } from "../../api/authorization.ts";
import type { RouteName } from "../../api/statements.ts";

export type Key = "a/1" | "b/1";
export const KEYS: readonly Key[] = ["a/1", "b/1"];
/** Where the entry of each key is, and where there is none. */
export const IDS = { "a/1": "10-1", "b/1": "10-2", none: "10-3" } as const;

/** What a route asks for, said a second time, by hand. `key`: the path names it, or a prefix that only some may ask for. */
type Rule = {
  readonly kind: "key" | "namespace" | "entry" | "everything" | "open";
  readonly action: Action | "any" | "none";
};
interface Line extends Rule {
  /** One request for the key, or for an entry of it. What stands after # is for the body: there it takes the place of `<key>`. */
  readonly path: (key: Key | "none") => string;
  readonly body?: string;
  readonly type?: string;
  readonly allowed: number;
}

const value = (key: string) => `/v1/kv/n/${key}`;
const letters = "/v1/dead-letters";
const entry = (base: string, rest = "") => ({
  kind: "entry" as const,
  path: (key: Key | "none") => `${base}/03-${IDS[key]}${rest}`,
});
const everything = (path: string, allowed = 200): Line => ({
  kind: "everything",
  action: "admin",
  path: () => path,
  allowed,
});

const namespace = (action: Action, allowed: number, body?: string, type = "application/json"): Line => ({
  kind: "namespace",
  action,
  path: () => "/v1/namespaces/n",
  ...(body && { body, type }),
  allowed,
});

/** The job about each key. */
export const JOBS = { "a/1": "00000000a-00000001", "b/1": "00000000a-00000002", none: "00000000a-00000003" } as const;
const job = (rest = ""): Line => ({
  kind: "entry",
  action: "admin",
  path: (key) => `/v1/jobs/${JOBS[key]}${rest}`,
  allowed: 200,
});

const open = (path: string, allowed = 200): Line => ({ kind: "open", action: "none", path: () => path, allowed });

export const LINES: Readonly<Record<RouteName, Line>> = {
  "PUT /v1/kv/{namespace}/{key}": { kind: "key", action: "write", path: value, body: "v", allowed: 202 },
  "GET /v1/kv/{namespace}/{key}": { kind: "key", action: "read", path: value, allowed: 200 },
  "DELETE /v1/kv/{namespace}/{key}": { kind: "key", action: "write", path: value, allowed: 202 },
  "PATCH /v1/kv/{namespace}/{key}": {
    kind: "key",
    action: "write",
    path: value,
    body: "{}",
    type: "application/merge-patch+json",
    allowed: 202,
  },
  "POST /v1/kv/{namespace}/{key}": {
    kind: "key",
    action: "write",
    path: (key) => `${value(key)}?increment=1`,
    allowed: 202,
  },
  // Each operation is answered for itself.
  "POST /v1/batch/{namespace}": {
    kind: "key",
    action: "write",
    path: (key) => `/v1/batch/n#${key}`,
    body: '[{"op":"delete","key":"<key>"}]',
    type: "application/json",
    allowed: 202,
  },
  "POST /v1/txn/{namespace}": {
    kind: "key",
    action: "write",
    path: (key) => `/v1/txn/n#${key}`,
    body: '{"then":[{"op":"delete","key":"<key>"}]}',
    type: "application/json",
    allowed: 202,
  },
  "GET /v1/kv/{namespace}": { kind: "key", action: "read", path: (key) => `/v1/kv/n?prefix=${key}`, allowed: 200 },
  "GET /v1/watch/{namespace}": {
    kind: "key",
    action: "read",
    path: (key) => `/v1/watch/n?prefix=${key}`,
    allowed: 200,
  },
  "GET /v1/commands/{id}": { ...entry("/v1/commands"), action: "any", allowed: 200 },
  "GET /v1/namespaces": everything("/v1/namespaces"),
  "PUT /v1/namespaces/{namespace}": namespace("admin", 202, "{}"),
  "GET /v1/namespaces/{namespace}": namespace("read", 200),
  "PATCH /v1/namespaces/{namespace}": namespace("admin", 202, "{}", "application/merge-patch+json"),
  "DELETE /v1/namespaces/{namespace}": namespace("admin", 202),
  "GET /v1/jobs": everything("/v1/jobs"),
  "POST /v1/jobs": {
    ...namespace("admin", 202, '{"type":"delete","namespace":"n","prefix":""}'),
    path: () => "/v1/jobs",
  },
  "GET /v1/jobs/{id}": job(),
  "DELETE /v1/jobs/{id}": job(),
  "GET /v1/jobs/{id}/events": job("/events"),
  "GET /v1/partitions": everything("/v1/partitions"),
  "GET /v1/partitions/{n}": everything("/v1/partitions/3"),
  "POST /v1/partitions/{n}/accept-loss": everything("/v1/partitions/3/accept-loss?confirm=x", 409),
  "GET /v1/dead-letters": everything(`${letters}?namespace=n&prefix=a/`),
  "DELETE /v1/dead-letters": everything(`${letters}?namespace=n&key=a/1`),
  "POST /v1/dead-letters/replay": everything(`${letters}/replay?namespace=n&key=a/1&dry_run=true`),
  "GET /v1/dead-letters/{id}": { ...entry(letters), action: "admin", allowed: 200 },
  "DELETE /v1/dead-letters/{id}": { ...entry(letters), action: "admin", allowed: 202 },
  "POST /v1/dead-letters/{id}/replay": { ...entry(letters, "/replay"), action: "admin", allowed: 202 },
  "GET /openapi.json": open("/openapi.json"),
  "GET /docs": open("/docs"),
  "GET /docs/{file}": open("/docs/none.css", 404),
  "GET /problems": open("/problems"),
  "GET /problems/{slug}": open("/problems/forbidden"),
};

/** Callers, and what they may, said a second time. */
export const scope = (namespaces: string[], prefix: string, ...actions: Action[]): Scope => ({
  namespaces,
  prefix,
  actions,
});
export interface Kind {
  readonly scopes: readonly Scope[];
  readonly actions: readonly Action[];
  readonly keys: readonly Key[];
  readonly everything?: boolean;
}
export const ALL: Action[] = ["read", "write", "admin"];
export const CALLERS: Readonly<Record<string, Kind>> = {
  nothing: { scopes: [], actions: [], keys: [] },
  "a-read": { scopes: [scope(["n"], "a/", "read")], actions: ["read"], keys: ["a/1"] },
  "a-write": { scopes: [scope(["n"], "a/", "write")], actions: ["write"], keys: ["a/1"] },
  "a-admin": { scopes: [scope(["n"], "a/", "admin")], actions: ["admin"], keys: ["a/1"] },
  "a-all": { scopes: [scope(["n"], "a/", ...ALL)], actions: ALL, keys: ["a/1"] },
  "b-all": { scopes: [scope(["n"], "b/", ...ALL)], actions: ALL, keys: ["b/1"] },
  "b-shorter": { scopes: [scope(["n"], "b", ...ALL)], actions: ALL, keys: ["b/1"] },
  "other-namespace": { scopes: [scope(["m", "@n", "nn", "n.*"], "", ...ALL)], actions: ALL, keys: [] },
  "everywhere-a": { scopes: [scope(["*"], "a/", ...ALL)], actions: ALL, keys: ["a/1"] },
  "n-all": { scopes: [scope(["n"], "", ...ALL)], actions: ALL, keys: ["a/1", "b/1"] },
  "everything-read": { scopes: [scope(["*"], "", "read", "write")], actions: ["read", "write"], keys: KEYS },
  "everything-admin": { scopes: [scope(["*"], "", "admin")], actions: ["admin"], keys: KEYS, everything: true },
  "everything-all": { scopes: [scope(["*"], "", ...ALL)], actions: ALL, keys: KEYS, everything: true },
};

export function isAllowed({ kind, action }: Rule, caller: Kind, key: Key): boolean {
  if (action === "none") return true;
  const acts = action === "any" ? caller.actions.length > 0 : caller.actions.includes(action);
  if (kind === "namespace") return acts && KEYS.every((each) => caller.keys.includes(each));
  return acts && (kind === "everything" ? caller.everything === true : caller.keys.includes(key));
}
