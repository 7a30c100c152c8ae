/**
 * `PATCH /v1/namespaces/{namespace}`: changes some of its settings (`application/merge-patch+json`, RFC 7396).
 *
 * What comes out must be settings again, which only the API can judge: so it is read, patched, checked, and written on
 * the condition that it is still what was read; again when it is not. Therefore it always waits for its result.
 */
import { z } from "zod";
import { formatRevision } from "../../core/entry-id.ts";
import { settingsKey } from "../../core/system-keys.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { type Answer, type Handler, jsonAnswer } from "../exchange.ts";
import { JOB_WRITE_PROBLEMS } from "../job-description.ts";
import { checkDocument, DOCUMENT_PROBLEMS, readJson } from "../json-body.ts";
import { MERGE_PATCH_TYPE } from "../media-type.ts";
import { mergePatch } from "../merge-patch.ts";
import { changedSettingsSchema, namespaceParameters } from "../namespace-description.ts";
import { expectRoomFor, expectUsable } from "../namespace-rules.ts";
import { settingsSchema } from "../namespaces.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { NO_QUERY } from "../query.ts";
import { parseSettingsPath, SETTINGS_PATH } from "../settings-path.ts";
import { expectMet } from "../system-precondition.ts";
import { type DocumentWritten, writeDocument } from "../system-writes.ts";

/** So often somebody else may have been first. */
const ATTEMPTS_MAX = 5;

export const patchNamespaceRoute = describeRoute({
  operationId: "patchNamespace",
  tag: "namespaces",
  method: "PATCH",
  path: SETTINGS_PATH,
  summary: "Change some settings of a namespace",
  description: "A JSON merge patch (RFC 7396); null takes a setting back to its default. It waits for its result.",
  parameters: namespaceParameters,
  query: NO_QUERY,
  headers: ["IfMatch", "IfNoneMatch", "Grade", "Traceparent"],
  body: { description: "What changes.", content: { [MERGE_PATCH_TYPE]: z.json() } },
  answers: {
    200: {
      ...jsonDocument("Applied: the settings as they are now.", changedSettingsSchema),
      headers: ["Cache-Control", "ETag", "Millrace-Revision", "Millrace-Grade"],
    },
    202: {
      description: "Accepted, and not applied in time.",
      headers: ["Location", "Millrace-Revision", "Millrace-Grade"],
    },
  },
  problems: [
    ...JOB_WRITE_PROBLEMS,
    ...DOCUMENT_PROBLEMS,
    "invalid-namespace",
    "invalid-precondition",
    "precondition-failed",
    "too-many-namespaces",
  ],
});

export function patchNamespace(deps: AppDependencies): Handler {
  return async (incoming) => {
    const namespace = parseSettingsPath(incoming.target);
    const patch = await readJson(incoming, MERGE_PATCH_TYPE);
    for (let attempt = 1; ; attempt++) {
      const stored = await deps.system.read(settingsKey(namespace));
      await expectMet(deps, incoming, async () => stored);
      const settings = checkDocument(settingsSchema, mergePatch(stored?.document ?? {}, patch));
      expectUsable(deps, settings);
      expectRoomFor(deps, namespace);
      const written = await writeDocument(
        deps,
        incoming,
        settingsKey(namespace),
        settings,
        stored ? { kind: "match", id: stored.id } : { kind: "none-match", id: "*" },
      );
      const changed = written.result?.outcome === "rejected";
      if (!changed) return answerOf(written, settings);
      if (attempt === ATTEMPTS_MAX) throw new ProblemError("precondition-failed", "Others changed it all the while.");
    }
  };
}

function answerOf({ accepted, result }: DocumentWritten, settings: unknown): Answer {
  const revision = formatRevision(accepted.partition, accepted.id);
  if (result?.outcome === "dead") throw new ProblemError("command-dead", `See /v1/commands/${revision}.`);
  const headers = { "Millrace-Revision": revision, "Millrace-Grade": accepted.grade };
  if (result === null) {
    const location = { Location: `/v1/commands/${revision}`, "X-Content-Type-Options": "nosniff" };
    return { status: 202, headers: { ...headers, ...location }, body: null };
  }
  const answer = jsonAnswer({ settings });
  return { ...answer, headers: { ...answer.headers, ...headers, ETag: `"${revision}"` } };
}
