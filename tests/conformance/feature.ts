/** How the suite is written down: features, each a list of guarantees, each a check over HTTP alone. */
import type { Subject } from "./subject.ts";

/** Throws where the guarantee does not hold. */
export type Check = (subject: Subject) => Promise<void>;

export interface Feature {
  /** One word: part of the names of the namespaces that its checks write to. */
  readonly slug: string;
  readonly name: string;
  readonly guarantees: Readonly<Record<string, Check>>;
  /** A path that a server with this feature answers with 200; on others it is skipped, and said so. */
  readonly where?: string;
}

/** @param guarantees by name: a sentence that says what holds */
export function feature(
  slug: string,
  name: string,
  guarantees: Readonly<Record<string, Check>>,
  options: Pick<Feature, "where"> = {},
): Feature {
  return { slug, name, guarantees, ...options };
}

/** One guarantee for each row: `name` says it, `check` tries it. */
export function each<Row>(
  rows: readonly Row[],
  name: (row: Row) => string,
  check: (subject: Subject, row: Row) => Promise<void>,
): Record<string, Check> {
  return Object.fromEntries(rows.map((row) => [name(row), (subject: Subject) => check(subject, row)]));
}
