/** `GET /v1/dead-letters?<filter>`: dead letters, partition after partition, oldest first; and how many there are. */
import { describeLetter, findLetters, formatCursor, LETTERS_PATH, selectLetters } from "../dead-letters.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { letterFilter, letterListSchema } from "../letter-schemas.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { Query } from "../query.ts";
import { splitTarget } from "../target.ts";

export const listDeadLettersRoute = describeRoute({
  operationId: "listDeadLetters",
  tag: "dead letters",
  method: "GET",
  path: LETTERS_PATH,
  summary: "Dead letters, partition after partition, oldest first",
  parameters: {},
  query: new Query(letterFilter),
  answers: { 200: jsonDocument("Those that the filter selects, and how many there are.", letterListSchema) },
  problems: ["store-unavailable"],
});

export function listDeadLetters(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { query } = splitTarget(incoming.target);
    const selection = selectLetters(listDeadLettersRoute.query.read(query), deps.partitions);
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
