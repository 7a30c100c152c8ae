/** `DELETE /v1/dead-letters/{id}`: drops a dead letter; its key stays as it is. */
import { commandOfLetter } from "../../core/dead-letter.ts";
import { readLetter, targetOf } from "../dead-letter-path.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Handler } from "../exchange.ts";
import { sayDiscard } from "../letter-settling.ts";
import { onlyParameters, splitTarget } from "../target.ts";
import { accept } from "../write.ts";

export function discardDeadLetter(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { path, query } = splitTarget(incoming.target);
    onlyParameters(query, []);
    const { partition, letter } = await readLetter(deps, path);
    const command = commandOfLetter(letter);
    return accept(deps, incoming, targetOf(partition, command), sayDiscard(deps, incoming, { letter, command }));
  };
}
