/**
 * Holds what was seen against an OpenAPI document, both ways: every exchange stands in it, and every status of every
 * operation was seen, unless there is a reason why that cannot be.
 */
import type { Exchange } from "../exchanges.ts";
import { type Operation, readDocument } from "./document.ts";
import { operationAt } from "./path-template.ts";
import { UNSEEN, type Unseen } from "./unseen.ts";

export interface CheckOptions {
  /** Everything there is to see was seen: what is documented and not among it is a complaint. */
  readonly complete: boolean;
  /** What need not be seen; for tests of the check itself. */
  readonly unseen?: readonly Unseen[];
}

/** @returns one sentence for each fault; none when document and server agree */
export function checkAgainstDocument(
  document: unknown,
  exchanges: readonly Exchange[],
  { complete, unseen = UNSEEN }: CheckOptions,
): readonly string[] {
  const operations = readDocument(document);
  const complaints = new Set<string>();
  const seen = new Set<string>();
  for (const exchange of exchanges) {
    const found = judge(operations, exchange);
    if (found.complaint !== null) complaints.add(found.complaint);
    if (found.seen !== null) seen.add(found.seen);
  }
  if (complete) for (const missing of unseenOf(operations, seen, unseen)) complaints.add(missing);
  return [...complaints].sort();
}

/** What one exchange says: a complaint, or which documented response it has shown. */
function judge(
  operations: readonly Operation[],
  { method, path, status, mediaType, headers }: Exchange,
): { readonly complaint: string | null; readonly seen: string | null } {
  const about = `${method} ${path.length > 60 ? `${path.slice(0, 60)}…` : path} ${status}`;
  const complain = (text: string) => ({ complaint: text, seen: null });
  const here = operationAt(operations, path);
  // A path that is not there is 404, and a method that is not there 405: no document lists them.
  if (here === null) {
    return status === 404 || status === 400
      ? { complaint: null, seen: null }
      : complain(`${about}: no such path in it`);
  }
  const operation = here.operations.find((one) => one.method === method);
  if (operation === undefined) {
    return status === 405
      ? { complaint: null, seen: null }
      : complain(`${about}: ${here.template} has no ${method} in it`);
  }
  const name = `${method} ${here.template}`;
  const documented = statusOf(operation, status);
  if (documented === null) return complain(`${name} answers ${status}, which is not in it`);
  const response = operation.responses.get(documented);
  // HEAD has no body to have a type.
  if (mediaType !== null && response && !takes(response.mediaTypes, mediaType)) {
    return complain(`${name} ${status} has a body of ${mediaType}, which is not in it`);
  }
  const unknown = headers.filter((header) => !response?.headers.has(header));
  if (unknown.length > 0) return complain(`${name} ${status} has headers that are not in it: ${unknown.join(", ")}`);
  return { complaint: null, seen: `${name} ${documented}` };
}

/** `default` says nothing: whoever reads it does not know what comes. */
function statusOf({ responses }: Operation, status: number): string | null {
  const exact = String(status);
  if (responses.has(exact)) return exact;
  const range = `${exact[0]}XX`;
  return responses.has(range) ? range : null;
}

function takes(documented: ReadonlySet<string>, mediaType: string): boolean {
  const [type = ""] = mediaType.split("/", 1);
  return documented.has(mediaType) || documented.has(`${type}/*`) || documented.has("*/*");
}

function unseenOf(operations: readonly Operation[], seen: ReadonlySet<string>, unseen: readonly Unseen[]): string[] {
  return operations.flatMap(({ method, template, responses }) =>
    [...responses.keys()]
      .filter((status) => !seen.has(`${method} ${template} ${status}`))
      .filter((status) => !unseen.some((one) => one.status === status && one.operation.test(`${method} ${template}`)))
      .map((status) => `${method} ${template} ${status} stands in it and was never seen`),
  );
}
