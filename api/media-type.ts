/**
 * What kind of content a request brings, and answers have. Pure.
 */
import { ProblemError } from "./errors.ts";

export const JSON_TYPE = "application/json";
export const MERGE_PATCH_TYPE = "application/merge-patch+json";

/** @param contentType the header. @returns the type without its parameters, in lower case; undefined: none is told */
export function mediaTypeOf(contentType: string | null): string | undefined {
  return contentType?.split(";", 1)[0]?.trim().toLowerCase();
}

/**
 * @param headers of the answer where it is another type
 * @throws ProblemError `unsupported-media-type`
 */
export function requireType(contentType: string | null, type: string, headers: Record<string, string> = {}): void {
  if (mediaTypeOf(contentType) === type) return;
  throw new ProblemError("unsupported-media-type", `Send ${type}.`, headers);
}
