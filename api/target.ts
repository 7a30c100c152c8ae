/**
 * The target of a request: path and query as they came. Pure.
 */
import { ProblemError } from "./errors.ts";

export interface Target {
  readonly path: string;
  readonly query: URLSearchParams | null;
}

export function splitTarget(target: string): Target {
  const mark = target.indexOf("?");
  if (mark < 0) return { path: target, query: null };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

/**
 * URLSearchParams puts U+FFFD where the encoding is broken: something else than was meant.
 * @throws ProblemError `invalid-parameter`
 */
export function checkEncoding(target: string): void {
  try {
    decodeURIComponent(target);
  } catch {
    throw new ProblemError("invalid-parameter", "The query is not percent-encoded UTF-8.");
  }
}

/** Refuses parameters that would otherwise be silently without effect. */
export function onlyParameters(query: URLSearchParams | null, known: readonly string[]): void {
  if (query === null) return;
  for (const name of query.keys()) {
    if (!known.includes(name))
      throw new ProblemError("unknown-parameter", `The parameter ${JSON.stringify(name)} is not known here.`);
  }
}
