/** `DELETE /v1/dead-letters?<filter>&dry_run=`: drops the letters that a filter selects, a page a call. */
import { LETTERS_PATH, selectLetters } from "../dead-letters.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { letterFilter, settlingAnswers } from "../letter-schemas.ts";
import { foreseeSettling, settleLetters } from "../letter-settling.ts";
import { describeRoute } from "../openapi/description.ts";
import { flag, Query } from "../query.ts";
import { splitTarget } from "../target.ts";
import { ACCEPT_HEADERS, ACCEPT_PROBLEMS } from "../write-description.ts";

export const discardDeadLettersRoute = describeRoute({
  operationId: "discardDeadLetters",
  tag: "dead letters",
  method: "DELETE",
  path: LETTERS_PATH,
  summary: "Drop the dead letters that a filter selects, a page a call",
  parameters: {},
  query: new Query({
    ...letterFilter,
    dry_run: flag("Show what would be dropped, and drop nothing."),
    all: flag("Without any filter, this must be said."),
  }),
  headers: ACCEPT_HEADERS,
  answers: settlingAnswers("All that was selected is dropped, or is shown."),
  problems: [...ACCEPT_PROBLEMS, "store-unavailable"],
});

export function discardDeadLetters(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { query } = splitTarget(incoming.target);
    const { dry_run: dryRun, all, ...filter } = discardDeadLettersRoute.query.read(query);
    const selection = selectLetters(filter, deps.partitions);
    // What is dropped is gone: a forgotten filter must not mean all of it.
    if (selection.everything && !dryRun && !all) {
      throw new ProblemError("invalid-parameter", "Give a filter, or all=true.");
    }
    const settling = { kind: "discard", force: false } as const;
    return dryRun ? foreseeSettling(deps, selection, settling) : settleLetters(deps, incoming, selection, settling);
  };
}
