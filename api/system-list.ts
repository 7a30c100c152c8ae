/**
 * Lists of what Millrace itself keeps: which page a request means.
 */
import { SYSTEM_LIST_DEFAULT, SYSTEM_LIST_MAX } from "../core/limits.ts";
import type { AppDependencies } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import type { SystemDocument } from "./system-values.ts";

export const LIST_PARAMETERS: readonly string[] = ["limit", "cursor"];

export interface ListedPage {
  readonly documents: readonly SystemDocument[];
  /** To go on with; null when that was all. */
  readonly cursor: string | null;
}

/** A page of what begins with a prefix, as `limit` and `cursor` of the request ask for it. @throws ProblemError */
export async function listDocuments(
  deps: AppDependencies,
  query: URLSearchParams | null,
  prefix: string,
): Promise<ListedPage> {
  const limit = query?.get("limit") ?? String(SYSTEM_LIST_DEFAULT);
  if (!/^\d{1,9}$/.test(limit) || Number(limit) < 1 || Number(limit) > SYSTEM_LIST_MAX) {
    throw new ProblemError("invalid-parameter", `limit is a number from 1 to ${SYSTEM_LIST_MAX}.`);
  }
  const cursor = query?.get("cursor") ?? null;
  const after = cursor === null ? null : prefix + parseCursor(cursor);
  const { documents, last } = await deps.system.page(prefix, after, Number(limit));
  return { documents, cursor: last === null ? null : btoa(last.slice(prefix.length)).replace(/=+$/, "") };
}

/** Names of namespaces and jobs are ASCII. */
function parseCursor(text: string): string {
  try {
    const name = atob(text);
    if (/^@?[A-Za-z0-9._-]{1,128}$/.test(name)) return name;
  } catch {
    // Not what we gave; told below.
  }
  throw new ProblemError("invalid-parameter", "cursor is not one that an answer gave.");
}
