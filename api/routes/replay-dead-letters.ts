/** `POST /v1/dead-letters/replay?<filter>&force=&dry_run=`: replays the letters that a filter selects, a page a call. */
import { FILTER_PARAMETERS, parseFlag, parseSelection } from "../dead-letters.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { foreseeSettling, settleLetters } from "../letter-settling.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function replayDeadLetters(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { query } = splitTarget(incoming.target);
    onlyParameters(query, [...FILTER_PARAMETERS, "force", "dry_run"]);
    const selection = parseSelection(query, deps.partitions);
    const settling = { kind: "replay", force: parseFlag(query, "force") } as const;
    return parseFlag(query, "dry_run")
      ? foreseeSettling(deps, selection, settling)
      : settleLetters(deps, incoming, selection, settling);
  };
}
