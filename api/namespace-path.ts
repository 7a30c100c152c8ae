/**
 * Paths of namespaces' settings. Pure.
 */
import { parseNamespace } from "./key-path.ts";
import { onlyParameters, splitTarget } from "./target.ts";

export const NAMESPACES_PATH = "/v1/namespaces";

/** The namespace that a path names; it takes no parameters. @throws ProblemError */
export function parseNamespacePath(target: string): string {
  const { path, query } = splitTarget(target);
  onlyParameters(query, []);
  return parseNamespace(path.slice(NAMESPACES_PATH.length + 1));
}

export function namespacePath(namespace: string): string {
  return `${NAMESPACES_PATH}/${namespace}`;
}
