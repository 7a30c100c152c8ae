/** `DELETE /v1/dead-letters?<filter>&dry_run=`: drops the letters that a filter selects, a page a call. */
import { FILTER_PARAMETERS, parseFlag, parseSelection } from "../dead-letters.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { foreseeSettling, settleLetters } from "../letter-settling.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function discardDeadLetters(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { query } = splitTarget(incoming.target);
    onlyParameters(query, [...FILTER_PARAMETERS, "dry_run", "all"]);
    const selection = parseSelection(query, deps.partitions);
    const dryRun = parseFlag(query, "dry_run");
    // What is dropped is gone: a forgotten filter must not mean all of it.
    if (selection.everything && !dryRun && !parseFlag(query, "all")) {
      throw new ProblemError("invalid-parameter", "Give a filter, or all=true.");
    }
    const settling = { kind: "discard", force: false } as const;
    return dryRun ? foreseeSettling(deps, selection, settling) : settleLetters(deps, incoming, selection, settling);
  };
}
