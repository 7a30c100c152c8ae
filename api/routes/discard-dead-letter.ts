/** `DELETE /v1/dead-letters/{id}`: drops a dead letter; its key stays as it is. */
import { commandOfLetter } from "../../core/dead-letter.ts";
import { LETTER_PROBLEMS, readLetter, targetOf } from "../dead-letter-path.ts";
import { LETTERS_PATH } from "../dead-letters.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { sayDiscard } from "../letter-settling.ts";
import { describeRoute } from "../openapi/description.ts";
import { commandParameters } from "../openapi/parameters.ts";
import { NO_QUERY } from "../query.ts";
import { splitTarget } from "../target.ts";
import { accept } from "../write.ts";
import { ACCEPT_HEADERS, ACCEPT_PROBLEMS, writeAnswers } from "../write-description.ts";

export const discardDeadLetterRoute = describeRoute({
  operationId: "discardDeadLetter",
  tag: "dead letters",
  method: "DELETE",
  path: `${LETTERS_PATH}/{id}`,
  summary: "Drop a dead letter",
  description: "Its key stays as it is.",
  parameters: commandParameters,
  query: NO_QUERY,
  headers: ACCEPT_HEADERS,
  answers: writeAnswers(["gone"]),
  problems: [...LETTER_PROBLEMS, ...ACCEPT_PROBLEMS],
  rejections: ["dead-letter-gone", "command-dead"],
});

export function discardDeadLetter(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { path, query } = splitTarget(incoming.target);
    discardDeadLetterRoute.query.read(query);
    const { partition, letter } = await readLetter(deps, path, caller);
    const command = commandOfLetter(letter);
    return accept(deps, incoming, targetOf(partition, command), sayDiscard({ letter, command }));
  };
}
