/**
 * Lists of what Millrace itself keeps: which page a request means.
 */
import { z } from "zod";
import { decodeBase64Url, encodeBase64Url } from "../core/base64.ts";
import { SYSTEM_LIST_DEFAULT, SYSTEM_LIST_MAX } from "../core/limits.ts";
import type { AppDependencies } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import { Query, wholeNumber } from "./query.ts";
import type { SystemDocument } from "./system-values.ts";

export const LIST_QUERY = new Query({
  limit: wholeNumber(1, SYSTEM_LIST_MAX).default(SYSTEM_LIST_DEFAULT).describe("How many one answer tells at most."),
  cursor: z.string().optional().describe("As the page before gave it."),
});

/** Beside the members of a page. */
export const listedMembers = {
  cursor: z.string().nullable().describe("Where the list goes on; null at its end."),
  complete: z.boolean(),
};

export interface ListedPage {
  readonly documents: readonly SystemDocument[];
  /** To go on with; null when that was all. */
  readonly cursor: string | null;
}

/** The page of what begins with a prefix that the request asks for. @throws ProblemError */
export async function listDocuments(
  deps: AppDependencies,
  query: URLSearchParams | null,
  prefix: string,
): Promise<ListedPage> {
  const { limit, cursor } = LIST_QUERY.read(query);
  const after = cursor === undefined ? null : prefix + parseCursor(cursor);
  const { documents, last } = await deps.system.page(prefix, after, limit);
  return { documents, cursor: last === null ? null : encodeBase64Url(last.slice(prefix.length)) };
}

/** Names of namespaces and jobs are ASCII. */
function parseCursor(text: string): string {
  const name = decodeBase64Url(text)?.toString() ?? "";
  if (/^@?[A-Za-z0-9._-]{1,128}$/.test(name)) return name;
  throw new ProblemError("invalid-cursor", "It is not one that an answer of this list gave.");
}
