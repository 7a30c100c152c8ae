import assert from "node:assert/strict";
import { hasHeaders, isProblem } from "../assertions.ts";
import { each, feature } from "../feature.ts";

/** What each resource does not have; what it has stands in the answer. */
const REFUSED: readonly (readonly [method: string, path: string, allow: readonly string[]])[] = [
  ["LINK", "/v1/kv/{namespace}/k", ["PUT", "GET", "HEAD", "DELETE", "POST"]],
  ["POST", "/v1/namespaces", ["GET", "HEAD"]],
  ["POST", "/v1/namespaces/{namespace}", ["PUT", "GET", "HEAD", "PATCH", "DELETE"]],
  ["DELETE", "/v1/jobs", ["GET", "HEAD", "POST"]],
  ["PUT", "/v1/jobs/00000000a-00000000", ["GET", "HEAD", "DELETE"]],
  ["POST", "/v1/jobs/00000000a-00000000/events", ["GET", "HEAD"]],
  ["PUT", "/v1/commands/00-1-1", ["GET", "HEAD"]],
  ["DELETE", "/v1/partitions", ["GET", "HEAD"]],
  ["DELETE", "/v1/partitions/0", ["GET", "HEAD"]],
  ["GET", "/v1/partitions/0/accept-loss", ["POST"]],
  ["POST", "/v1/dead-letters", ["GET", "HEAD", "DELETE"]],
  ["PUT", "/v1/dead-letters/00-1-1", ["GET", "HEAD", "DELETE"]],
  ["GET", "/v1/dead-letters/00-1-1/replay", ["POST"]],
];

export const methods = feature(
  "methods",
  "what is not there is 404, and what a resource does not do is 405 with what it does",
  {
    ...each(
      REFUSED,
      ([method, path]) => `${method} ${path} is 405`,
      async ({ namespace, send }, [method, path, allow]) => {
        const answer = await send(method, path.replace("{namespace}", namespace));
        isProblem(answer, 405, "method-not-allowed");
        hasHeaders(answer, { allow: /^[A-Z]+(, [A-Z]+)*$/ });
        for (const one of allow)
          assert.ok(answer.headers.allow?.split(", ").includes(one), `${one} in ${answer.headers.allow}`);
      },
    ),

    ...each(
      [
        "/v1",
        "/v1/kvx",
        "/v2/kv/a/b",
        "/v1/commands",
        "/v1/commands/",
        "/v1/dead-letters/00-1-1/other",
        "/favicon.ico",
        "//v1/partitions",
        "/V1/partitions",
      ],
      (path) => `${path} is 404`,
      async ({ send }, path) => {
        isProblem(await send("GET", path), 404, "not-found");
      },
    ),
  },
);
