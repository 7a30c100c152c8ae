/** `POST /v1/dead-letters/{id}/replay?force=`: does again what could not be done, unless its key was written since. */
import { commandOfLetter } from "../../core/dead-letter.ts";
import { readLetter, targetOf } from "../dead-letter-path.ts";
import { parseFlag } from "../dead-letters.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { sayReplay } from "../letter-settling.ts";
import { onlyParameters, splitTarget } from "../target.ts";
import { accept } from "../write.ts";

export function replayDeadLetter(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { path, query } = splitTarget(incoming.target);
    onlyParameters(query, ["force"]);
    const force = parseFlag(query, "force");
    const { partition, letter, value } = await readLetter(deps, path);
    const command = commandOfLetter(letter, value);
    if (command === null) throw new ProblemError("dead-letter-not-replayable", "It can only be discarded.");
    const saying = sayReplay(deps, incoming, { letter, command }, force);
    return accept(deps, incoming, targetOf(partition, command), saying);
  };
}
