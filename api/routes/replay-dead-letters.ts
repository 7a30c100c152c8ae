/** `POST /v1/dead-letters/replay?<filter>&force=&dry_run=`: replays the letters that a filter selects, a page a call. */
import { LETTERS_PATH, selectLetters } from "../dead-letters.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { letterFilter, settlingAnswers } from "../letter-schemas.ts";
import { foreseeSettling, settleLetters } from "../letter-settling.ts";
import { describeRoute } from "../openapi/description.ts";
import { flag, Query } from "../query.ts";
import { splitTarget } from "../target.ts";
import { ACCEPT_HEADERS, ACCEPT_PROBLEMS } from "../write-description.ts";

export const replayDeadLettersRoute = describeRoute({
  operationId: "replayDeadLetters",
  tag: "dead letters",
  method: "POST",
  path: `${LETTERS_PATH}/replay`,
  summary: "Replay the dead letters that a filter selects, in order, a page a call",
  parameters: {},
  query: new Query({
    ...letterFilter,
    force: flag("Neither newer writes, nor older letters, nor the command's condition stand in its way."),
    dry_run: flag("Show what would come of it, and do nothing."),
  }),
  headers: ACCEPT_HEADERS,
  answers: settlingAnswers("All that was selected is replayed and its outcome known, or is shown."),
  problems: [...ACCEPT_PROBLEMS, "store-unavailable"],
});

export function replayDeadLetters(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { query } = splitTarget(incoming.target);
    const { force, dry_run: dryRun, ...filter } = replayDeadLettersRoute.query.read(query);
    const selection = selectLetters(filter, deps.partitions);
    const settling = { kind: "replay", force } as const;
    return dryRun ? foreseeSettling(deps, selection, settling) : settleLetters(deps, incoming, selection, settling);
  };
}
