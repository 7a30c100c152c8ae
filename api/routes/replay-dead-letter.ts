/** `POST /v1/dead-letters/{id}/replay?force=`: does again what could not be done, unless its key was written since. */
import { commandOfLetter } from "../../core/dead-letter.ts";
import { LETTER_PROBLEMS, readLetter, targetOf } from "../dead-letter-path.ts";
import { LETTERS_PATH } from "../dead-letters.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { sayReplay } from "../letter-settling.ts";
import { describeRoute } from "../openapi/description.ts";
import { commandParameters } from "../openapi/parameters.ts";
import { flag, Query } from "../query.ts";
import { splitTarget } from "../target.ts";
import { accept } from "../write.ts";
import { ACCEPT_HEADERS, ACCEPT_PROBLEMS, writeAnswers } from "../write-description.ts";

export const replayDeadLetterRoute = describeRoute({
  operationId: "replayDeadLetter",
  tag: "dead letters",
  method: "POST",
  path: `${LETTERS_PATH}/{id}/replay`,
  summary: "Do again what could not be done",
  description:
    "It is applied once, however often it is asked for, and yields to every newer write of its key, unless it is forced.",
  parameters: commandParameters,
  query: new Query({
    force: flag("Neither newer writes, nor older letters, nor the command's condition stand in its way."),
  }),
  headers: ACCEPT_HEADERS,
  answers: writeAnswers(["created", "written", "repeated"]),
  problems: [...LETTER_PROBLEMS, ...ACCEPT_PROBLEMS, "dead-letter-not-replayable"],
  rejections: [
    "precondition-failed",
    "type-conflict",
    "dead-letter-gone",
    "newer-write",
    "older-letter-first",
    "command-dead",
  ],
});

export function replayDeadLetter(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { path, query } = splitTarget(incoming.target);
    const { force } = replayDeadLetterRoute.query.read(query);
    const { partition, letter, value } = await readLetter(deps, path, caller);
    const command = commandOfLetter(letter, value);
    if (command === null) throw new ProblemError("dead-letter-not-replayable", "It can only be discarded.");
    const saying = sayReplay({ letter, command }, force);
    return accept(deps, incoming, targetOf(partition, command), saying);
  };
}
