/**
 * Preconditions that the API judges itself, because what it then does is more than one conditional command.
 */
import type { Condition } from "../core/command.ts";
import type { AppDependencies } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import type { Incoming } from "./exchange.ts";
import { parseWritePrecondition } from "./precondition.ts";
import type { SystemDocument } from "./system-values.ts";

/**
 * @param read what the precondition is about; asked only where there is one
 * @throws ProblemError `precondition-failed`
 */
export async function expectMet(
  deps: AppDependencies,
  incoming: Incoming,
  read: () => Promise<SystemDocument | null>,
): Promise<void> {
  const { condition, impossible } = parseWritePrecondition(incoming, deps.system.partition, deps.partitions);
  if (impossible || (condition && !isMet(condition, await read()))) throw new ProblemError("precondition-failed");
}

function isMet({ kind, id }: Condition, stored: SystemDocument | null): boolean {
  const same = stored !== null && (id === "*" || id === stored.id);
  return same === (kind === "match");
}
