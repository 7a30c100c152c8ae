import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The folder that holds package.json. Found by walking up, because this file runs from `infra/local` (tests) as well as
 * from `dist/infra/local` (npm start).
 */
export const repoRoot: string = findRoot(import.meta.dirname);

function findRoot(from: string): string {
  if (existsSync(join(from, "package.json"))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error("package.json not found above infra/local");
  return findRoot(parent);
}
