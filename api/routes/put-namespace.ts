/** `PUT /v1/namespaces/{namespace}`: creates or replaces its settings; in effect in every API process within a second. */
import { settingsKey } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { checkDocument, DOCUMENT_PROBLEMS, readJson } from "../json-body.ts";
import { JSON_TYPE } from "../media-type.ts";
import { namespaceParameters } from "../namespace-description.ts";
import { expectRoomFor, expectUsable } from "../namespace-rules.ts";
import { settingsSchema } from "../namespaces.ts";
import { describeRoute } from "../openapi/description.ts";
import { NO_QUERY } from "../query.ts";
import { parseSettingsPath, SETTINGS_PATH, settingsPath } from "../settings-path.ts";
import { putDocument, systemTarget } from "../system-writes.ts";
import { write } from "../write.ts";
import { ACCEPT_PROBLEMS, WRITE_HEADERS, writeAnswers } from "../write-description.ts";

export const putNamespaceRoute = describeRoute({
  operationId: "putNamespace",
  tag: "namespaces",
  method: "PUT",
  path: SETTINGS_PATH,
  summary: "Create or replace the settings of a namespace",
  description: "Once applied, in effect in every API process within about a second. What is left out has its default.",
  parameters: namespaceParameters,
  query: NO_QUERY,
  headers: WRITE_HEADERS,
  body: { description: "All the settings.", content: { [JSON_TYPE]: settingsSchema } },
  answers: writeAnswers(["created", "replaced"]),
  problems: [
    ...ACCEPT_PROBLEMS,
    ...DOCUMENT_PROBLEMS,
    "invalid-namespace",
    "invalid-precondition",
    "invalid-idempotency-key",
    "idempotency-full",
    "dead-letters-full",
    "too-many-namespaces",
  ],
  rejections: ["precondition-failed", "idempotency-mismatch", "command-dead"],
});

export function putNamespace(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const namespace = parseSettingsPath(incoming.target);
    const settings = checkDocument(settingsSchema, await readJson(incoming, JSON_TYPE));
    expectUsable(deps, settings);
    expectRoomFor(deps, namespace);
    const target = systemTarget(deps, settingsKey(namespace), settingsPath(namespace));
    return write(deps, incoming, target, putDocument(settings), caller.name);
  };
}
