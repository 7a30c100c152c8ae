/** `POST /v1/partitions/{n}/accept-loss?confirm=<string>`: an operator lets a partition go on without what is lost. */
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { parsePartitionPath } from "../partition-path.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function acceptPartitionLoss(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { path, query } = splitTarget(incoming.target);
    onlyParameters(query, ["confirm"]);
    const partition = parsePartitionPath(path, deps.partitions);
    const [confirm, ...more] = query?.getAll("confirm") ?? [];
    if (confirm === undefined || confirm === "" || more.length > 0) {
      throw new ProblemError(
        "invalid-parameter",
        `Give ?confirm=<loss.confirm of GET /v1/partitions/${partition}> once.`,
      );
    }
    switch (await deps.losses.accept(partition, confirm)) {
      case "accepted":
        return jsonAnswer({ partition, accepted: confirm });
      case "not-lost":
        throw new ProblemError("nothing-lost", "Its state is not lost-base.");
      case "changed":
        throw new ProblemError("loss-changed", `Look at GET /v1/partitions/${partition} again.`);
    }
  };
}
