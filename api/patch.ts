/**
 * What may be sent as a JSON merge patch (RFC 7396). It is merged when it is applied, as text (merge-patch.lua). Pure.
 */
import { PATCH_DEPTH_MAX, PATCHED_VALUE_MAX_BYTES } from "../core/limits.ts";
import { ProblemError } from "./errors.ts";
import { parseJsonText } from "./json-body.ts";
import { MERGE_PATCH_TYPE, requireType } from "./media-type.ts";

/** @throws ProblemError `unsupported-media-type` */
export function requireMergePatch(contentType: string | null): void {
  requireType(contentType, MERGE_PATCH_TYPE, { "Accept-Patch": MERGE_PATCH_TYPE });
}

/** @throws ProblemError `invalid-patch` when it is no JSON text, or nested too deep; `value-too-large` */
export function checkPatch(bytes: Uint8Array): void {
  if (bytes.byteLength > PATCHED_VALUE_MAX_BYTES) {
    throw new ProblemError("value-too-large", `A patch has at most ${PATCHED_VALUE_MAX_BYTES} bytes.`);
  }
  const { document } = parseJsonText(bytes, "invalid-patch", "A patch is a JSON text in UTF-8.");
  if (isDeeper(document, PATCH_DEPTH_MAX)) {
    throw new ProblemError("invalid-patch", `A patch has at most ${PATCH_DEPTH_MAX} levels.`);
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
