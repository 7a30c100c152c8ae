/** `PUT /v1/namespaces/{namespace}`: creates or replaces its settings; in effect in every API process within a second. */
import { settingsKey } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { checkDocument, JSON_TYPE, readJson } from "../json-body.ts";
import { namespacePath, parseNamespacePath } from "../namespace-path.ts";
import { expectRoomFor, expectUsable } from "../namespace-rules.ts";
import { settingsSchema } from "../namespaces.ts";
import { putDocument, systemTarget } from "../system-writes.ts";
import { write } from "../write.ts";

export function putNamespace(deps: AppDependencies): Handler {
  return async (incoming) => {
    const namespace = parseNamespacePath(incoming.target);
    const settings = checkDocument(settingsSchema, await readJson(incoming, JSON_TYPE));
    expectUsable(deps, settings);
    expectRoomFor(deps, namespace);
    const target = systemTarget(deps, settingsKey(namespace), namespacePath(namespace));
    return write(deps, incoming, target, putDocument(settings));
  };
}
