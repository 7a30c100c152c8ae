/** `GET /v1/partitions/{n}`: one partition; when its base is lost, what that means and how to go on. */
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { describeLoss, describeRange } from "../partition-losses.ts";
import { parsePartitionPath } from "../partition-path.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function getPartition(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { path, query } = splitTarget(incoming.target);
    onlyParameters(query, []);
    const partition = parsePartitionPath(path, deps.partitions);
    const [reports, loss, losses] = await Promise.all([
      deps.monitor.report(),
      deps.losses.find(partition),
      deps.losses.list(partition),
    ]);
    const report = reports[partition];
    if (report === undefined) throw new ProblemError("not-found");
    return jsonAnswer({
      ...report,
      ...(loss && { loss: describeLoss(partition, loss) }),
      losses: losses.map((accepted) => describeRange(partition, accepted)),
    });
  };
}
