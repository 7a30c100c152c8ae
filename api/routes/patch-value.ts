/** `PATCH /v1/kv/{namespace}/{key}`: a JSON merge patch (RFC 7396), applied in log order; a missing key counts as `{}`. */
import { z } from "zod";
import { PATCHED_VALUE_MAX_BYTES } from "../../core/limits.ts";
import { partitionOf } from "../../core/partition.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { EXPIRY_PARAMETERS, EXPIRY_PROBLEMS, expiryOf } from "../expiry.ts";
import { KEY_PATH, parseKeyPath } from "../key-path.ts";
import { MERGE_PATCH_TYPE } from "../media-type.ts";
import { describeRoute } from "../openapi/description.ts";
import { keyParameters } from "../openapi/parameters.ts";
import { checkPatch, requireMergePatch } from "../patch.ts";
import { Query } from "../query.ts";
import { write } from "../write.ts";
import { WRITE_HEADERS, WRITE_PROBLEMS, writeAnswers } from "../write-description.ts";

export const patchValueRoute = describeRoute({
  operationId: "patchValue",
  tag: "values",
  method: "PATCH",
  path: KEY_PATH,
  summary: "Change a part of a JSON value",
  description:
    "A merge patch (RFC 7396). What it does not name stays as it was written, to the last digit of a number. A key that is " +
    "missing counts as {}. Content type and metadata stay, and the expiry unless another is given.",
  parameters: keyParameters,
  query: new Query(EXPIRY_PARAMETERS, "invalid-expiry", EXPIRY_PROBLEMS),
  headers: WRITE_HEADERS,
  body: {
    description: `The patch. It, the value, and what comes of the two have at most ${PATCHED_VALUE_MAX_BYTES} bytes.`,
    content: { [MERGE_PATCH_TYPE]: z.unknown() },
  },
  answers: writeAnswers(["created", "replaced"]),
  problems: [
    ...WRITE_PROBLEMS,
    "quota-exceeded",
    "invalid-body",
    "invalid-expiry",
    "invalid-patch",
    "unsupported-media-type",
    "value-too-large",
  ],
  rejections: ["precondition-failed", "idempotency-mismatch", "type-conflict", "value-too-large", "command-dead"],
});

export function patchValue(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { namespace, key, path, query } = parseKeyPath(incoming.target);
    const expiry = expiryOf(patchValueRoute.query.read(query), deps.now());
    requireMergePatch(incoming.header("content-type"));
    const value = await incoming.body();
    checkPatch(value);
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    return write(deps, incoming, target, { op: "patch", value, ...(expiry && { expiry }) }, caller.name);
  };
}
