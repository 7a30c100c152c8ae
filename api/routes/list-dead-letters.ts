/** `GET /v1/dead-letters?<filter>`: dead letters, partition after partition, oldest first; and how many there are. */
import { describeLetter, FILTER_PARAMETERS, findLetters, formatCursor, parseSelection } from "../dead-letters.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function listDeadLetters(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { query } = splitTarget(incoming.target);
    onlyParameters(query, FILTER_PARAMETERS);
    const selection = parseSelection(query, deps.partitions);
    const { letters, counts, next } = await findLetters(deps, selection, Number.POSITIVE_INFINITY);
    return jsonAnswer({
      letters: letters.map(describeLetter),
      cursor: formatCursor(next),
      complete: next === null,
      // Of all there are, whatever the filter.
      partitions: counts.flatMap((count, partition) => (count.letters > 0 ? [{ partition, ...count }] : [])),
    });
  };
}
