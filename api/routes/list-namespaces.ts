/** `GET /v1/namespaces?limit=&cursor=`: the namespaces that have settings, in byte order. */
import { SETTINGS_PREFIX } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { LIST_PARAMETERS, listDocuments } from "../system-list.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function listNamespaces(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { query } = splitTarget(incoming.target);
    onlyParameters(query, LIST_PARAMETERS);
    const { documents, cursor } = await listDocuments(deps, query, SETTINGS_PREFIX);
    const namespaces = documents.map(({ key, revision, document }) => ({
      namespace: key.slice(SETTINGS_PREFIX.length),
      settings: document,
      revision,
    }));
    return jsonAnswer({ namespaces, cursor, complete: cursor === null });
  };
}
