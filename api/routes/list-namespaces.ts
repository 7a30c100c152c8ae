/** `GET /v1/namespaces?limit=&cursor=`: the namespaces that have settings, in byte order. */
import { z } from "zod";
import { SETTINGS_PREFIX } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { SYSTEM_READ_PROBLEMS } from "../job-description.ts";
import { listedNamespaceSchema } from "../namespace-description.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { NAMESPACES_PATH } from "../settings-path.ts";
import { LIST_QUERY, listDocuments, listedMembers } from "../system-list.ts";
import { splitTarget } from "../target.ts";

export const listNamespacesRoute = describeRoute({
  operationId: "listNamespaces",
  tag: "namespaces",
  method: "GET",
  path: NAMESPACES_PATH,
  summary: "The namespaces that have settings",
  description: "In byte order. Others may have keys all the same: a namespace need not be created.",
  parameters: {},
  query: LIST_QUERY,
  answers: {
    200: jsonDocument(
      "A page of them.",
      z.strictObject({ namespaces: z.array(listedNamespaceSchema), ...listedMembers }),
    ),
  },
  problems: ["invalid-parameter", "invalid-cursor", ...SYSTEM_READ_PROBLEMS],
});

export function listNamespaces(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { query } = splitTarget(incoming.target);
    const { documents, cursor } = await listDocuments(deps, query, SETTINGS_PREFIX);
    const namespaces = documents.map(({ key, revision, document }) => ({
      namespace: key.slice(SETTINGS_PREFIX.length),
      settings: document,
      revision,
    }));
    return jsonAnswer({ namespaces, cursor, complete: cursor === null });
  };
}
