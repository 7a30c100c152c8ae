/**
 * What the command line asks for: which benches, and where the JSON goes.
 */
import { parseArgs } from "node:util";

export interface Options {
  /** In the order of the known names, however they were given; all of them when none was. */
  readonly names: readonly string[];
  /** A file; "-" is stdout, and the table then goes to stderr. */
  readonly json: string | null;
}

/** @throws when a name is unknown, with the known ones. */
export function parseOptions(args: readonly string[], known: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { json: { type: "string" } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no bench named ${unknown.join(", ")}; there are: ${known.join(", ")}`);
  const names = positionals.length === 0 ? known : known.filter((name) => positionals.includes(name));
  return { names, json: values.json ?? null };
}
