/** rules.yml as it is read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { root } from "./programs.ts";

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RulesFile {
  readonly groups: readonly { readonly name: string; readonly interval?: string; readonly rules: readonly Rule[] }[];
}

export interface Alert extends Rule {
  readonly alert: string;
}

export const RULES_PATH = join(root, "infra/monitoring/rules.yml");

export function readYaml(path: string): unknown {
  return parse(readFileSync(join(root, path), "utf8"), { merge: true });
}

export const rulesFile = readYaml("infra/monitoring/rules.yml") as RulesFile;

export const rules: readonly Rule[] = rulesFile.groups.flatMap((group) => group.rules);

export const alerts: readonly Alert[] = rules.filter((rule): rule is Alert => rule.alert !== undefined);
