import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isProblem, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

/** One of each kind of route that touches data or says something of it. */
const GUARDED: readonly (readonly [method: string, path: string])[] = [
  ["PUT", "/v1/kv/{namespace}/k"],
  ["GET", "/v1/kv/{namespace}/k"],
  ["HEAD", "/v1/kv/{namespace}/k"],
  ["DELETE", "/v1/kv/{namespace}/k"],
  ["PATCH", "/v1/kv/{namespace}/k"],
  ["POST", "/v1/kv/{namespace}/k?increment=1"],
  ["GET", "/v1/kv/{namespace}"],
  ["GET", "/v1/watch/{namespace}"],
  ["POST", "/v1/txn/{namespace}"],
  ["GET", "/v1/commands/00-1-1"],
  ["GET", "/v1/dead-letters"],
  ["DELETE", "/v1/dead-letters?all=true"],
  ["GET", "/v1/dead-letters/00-1-1"],
  ["POST", "/v1/dead-letters/00-1-1/replay"],
  ["POST", "/v1/dead-letters/replay"],
  ["GET", "/v1/namespaces"],
  ["GET", "/v1/namespaces/{namespace}"],
  ["PUT", "/v1/namespaces/{namespace}"],
  ["PATCH", "/v1/namespaces/{namespace}"],
  ["DELETE", "/v1/namespaces/{namespace}"],
  ["GET", "/v1/jobs"],
  ["POST", "/v1/jobs"],
  ["GET", "/v1/jobs/00000000a-00000000"],
  ["DELETE", "/v1/jobs/00000000a-00000000"],
  ["GET", "/v1/jobs/00000000a-00000000/events"],
  ["GET", "/v1/partitions"],
  ["GET", "/v1/partitions/0"],
  ["POST", "/v1/partitions/0/accept-loss?confirm=x"],
];

const WRONG = ["Bearer wrong", "Bearer", "Basic dXNlcjpwYXNz", "bearer  ", `Bearer ${"x".repeat(5000)}`, "Bearer a b"];

export const authentication = feature(
  "tokens",
  "who shows no valid token is told so before anything is done (RFC 6750)",
  {
    ...each(
      GUARDED,
      ([method, path]) => `${method} ${path} without a token is 401`,
      async ({ namespace, stranger }, [method, path]) => {
        const headers = { "content-type": "application/merge-patch+json", ...WAIT };
        const answer = await stranger.send(method, path.replace("{namespace}", namespace), { headers });
        if (method === "HEAD") hasStatus(answer, 401);
        else isProblem(answer, 401, "unauthenticated");
        hasHeaders(answer, { "www-authenticate": /^Bearer realm="/ });
        assert.ok(!String(answer.headers["www-authenticate"]).includes("error="));
      },
    ),

    ...each(
      WRONG,
      (credential) => `${credential.slice(0, 20)} of ${credential.length} characters is no token`,
      async ({ namespace, stranger, get, newKey }, authorization) => {
        const key = newKey();
        const answer = await stranger.put(namespace, key, "v", { headers: { authorization, ...WAIT } });
        isProblem(answer, 401, "unauthenticated");
        hasHeaders(answer, { "www-authenticate": /error="invalid_token"/ });
        isProblem(await get(namespace, key), 404, "key-not-found");
      },
    ),

    "the contract itself is open to everybody": async ({ stranger }) => {
      for (const path of ["/openapi.json", "/docs", "/problems", "/problems/key-not-found"]) {
        hasStatus(await stranger.send("GET", path), 200);
      }
    },
  },
  { withToken: true },
);
