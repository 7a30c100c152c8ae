/**
 * The dead letter that a path names: `/v1/dead-letters/{id}`, where the id is the revision of the command that failed.
 */
import type { Command } from "../core/command.ts";
import { commandOfLetter, type DeadLetter } from "../core/dead-letter.ts";
import { parseRevision } from "../core/entry-id.ts";
import { keysOf } from "../core/transaction.ts";
import type { Caller } from "./caller.ts";
import { LETTERS_PREFIX } from "./dead-letters.ts";
import type { AppDependencies, CommandTarget } from "./dependencies.ts";
import { ProblemError, type ProblemSlug } from "./errors.ts";
import { KV_PREFIX } from "./key-path.ts";

export interface NamedLetter {
  readonly partition: number;
  readonly letter: DeadLetter;
  readonly value: Uint8Array;
}

/** What reading one may end in. */
export const LETTER_PROBLEMS = [
  "invalid-revision",
  "dead-letter-not-found",
  "dead-letter-gone",
  "store-unavailable",
] as const satisfies readonly ProblemSlug[];

/**
 * One that the caller may administer: of others he is told that there are none.
 * @throws ProblemError when it is none, or not one any more
 */
export async function readLetter(deps: AppDependencies, path: string, caller: Caller): Promise<NamedLetter> {
  const [text = ""] = path.slice(LETTERS_PREFIX.length).split("/");
  const revision = parseRevision(text, deps.partitions);
  if (revision === null) throw new ProblemError("invalid-revision");
  const found = await deps.store.letter(revision.partition, revision.id);
  if (!mayAdminister(caller, typeof found === "string" ? null : commandOfLetter(found.letter))) {
    throw new ProblemError("dead-letter-not-found");
  }
  if (found === "none") throw new ProblemError("dead-letter-not-found");
  if (found === "gone") throw new ProblemError("dead-letter-gone");
  return { partition: revision.partition, ...found };
}

/** @param command null where the key is not known: any key might be the letter's */
function mayAdminister(caller: Caller, command: Command | null): boolean {
  if (command === null) return caller.may({ action: "admin", everything: true });
  const { namespace } = command;
  return keysOf(command).every((key) => caller.may({ action: "admin", namespace, key }));
}

/** Where a command that settles a letter goes: the letter's own partition. */
export function targetOf(partition: number, command: Command | null): CommandTarget {
  const { namespace, key } = command ?? { namespace: "", key: "" };
  return { namespace, key, partition, path: `${KV_PREFIX}${namespace}/${encodeURIComponent(key)}` };
}
