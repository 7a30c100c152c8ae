/**
 * Paths of namespaces' settings. Pure.
 */
import { parseNamespace } from "./key-path.ts";
import { NO_QUERY } from "./query.ts";
import { splitTarget } from "./target.ts";

export const NAMESPACES_PATH = "/v1/namespaces";
export const SETTINGS_PATH = `${NAMESPACES_PATH}/{namespace}` as const;

/** The namespace that a path names; it takes no parameters. @throws ProblemError */
export function parseSettingsPath(target: string): string {
  const { path, query } = splitTarget(target);
  NO_QUERY.read(query);
  return parseNamespace(path.slice(NAMESPACES_PATH.length + 1));
}

export function settingsPath(namespace: string): string {
  return `${NAMESPACES_PATH}/${namespace}`;
}
