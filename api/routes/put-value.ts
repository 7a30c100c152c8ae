/** `PUT /v1/kv/{namespace}/{key}`: creates or replaces a value, with its type, metadata and expiry. */
import { z } from "zod";
import { VALUE_MAX_BYTES } from "../../core/limits.ts";
import { partitionOf } from "../../core/partition.ts";
import { parseContentType } from "../body.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { EXPIRY_PARAMETERS, EXPIRY_PROBLEMS, expiryOf } from "../expiry.ts";
import { KEY_PATH, parseKeyPath } from "../key-path.ts";
import { JSON_TYPE } from "../media-type.ts";
import { parseMetadata } from "../metadata.ts";
import { describeRoute } from "../openapi/description.ts";
import { keyParameters } from "../openapi/parameters.ts";
import { Query } from "../query.ts";
import { write } from "../write.ts";
import { WRITE_HEADERS, WRITE_PROBLEMS, writeAnswers } from "../write-description.ts";

export const putValueRoute = describeRoute({
  operationId: "putValue",
  tag: "values",
  method: "PUT",
  path: KEY_PATH,
  summary: "Create or replace a value",
  parameters: keyParameters,
  query: new Query(EXPIRY_PARAMETERS, "invalid-expiry", EXPIRY_PROBLEMS),
  headers: [...WRITE_HEADERS, "Metadata"],
  body: {
    description: `The value, at most ${VALUE_MAX_BYTES} bytes. It is kept with its Content-Type as they are.`,
    content: { "text/plain": z.string(), [JSON_TYPE]: z.json(), "*/*": null },
  },
  answers: writeAnswers(["created", "replaced"]),
  problems: [
    ...WRITE_PROBLEMS,
    "quota-exceeded",
    "invalid-content-type",
    "invalid-expiry",
    "invalid-metadata",
    "invalid-body",
    "value-too-large",
  ],
  rejections: ["precondition-failed", "idempotency-mismatch", "command-dead"],
});

export function putValue(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { namespace, key, path, query } = parseKeyPath(incoming.target);
    const expiry = expiryOf(putValueRoute.query.read(query), deps.now());
    const metadata = parseMetadata(incoming.header("millrace-metadata"));
    const contentType = parseContentType(incoming.header("content-type"));
    const value = await incoming.body();
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    if (expiry === undefined && metadata === undefined) {
      return write(deps, incoming, target, { op: "put", contentType, value }, caller.name);
    }
    const more = { ...(expiry && { expiry }), ...(metadata !== undefined && { metadata }) };
    return write(deps, incoming, target, { op: "put", contentType, value, ...more }, caller.name);
  };
}
