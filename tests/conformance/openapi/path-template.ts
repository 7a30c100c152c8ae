/** Which path of an OpenAPI document a request belongs to. */
import type { Operation } from "./document.ts";

export interface Place {
  readonly template: string;
  /** All of that template. */
  readonly operations: readonly Operation[];
}

/** The operations of the path's template; of several that fit, the one with the longest beginning without a parameter. */
export function operationAt(operations: readonly Operation[], path: string): Place | null {
  const templates = new Set(operations.map(({ template }) => template));
  const [best] = [...templates]
    .filter((template) => patternOf(template).test(path))
    .toSorted((a, b) => literalLength(b) - literalLength(a) || b.length - a.length);
  if (best === undefined) return null;
  return { template: best, operations: operations.filter(({ template }) => template === best) };
}

/**
 * A parameter is one segment, which may be empty: a request that leaves it empty still meant this path. A key may hold
 * slashes, as it stands at the end of a path.
 */
function patternOf(template: string): RegExp {
  const source = template
    .split(/(\{[^}]+\})/)
    .map((part) => {
      if (!/^\{[^}]+\}$/.test(part)) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
      return part === "{key}" && template.endsWith(part) ? ".*" : "[^/]*";
    })
    .join("");
  return new RegExp(`^${source}$`);
}

function literalLength(template: string): number {
  const brace = template.indexOf("{");
  return brace < 0 ? Number.POSITIVE_INFINITY : brace;
}
