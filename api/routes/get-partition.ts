/** `GET /v1/partitions/{n}`: one partition; when its base is lost, what that means and how to go on. */

import { z } from "zod";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { partitionParameters, revisionSchema } from "../openapi/parameters.ts";
import { describeLoss, describeRange } from "../partition-losses.ts";
import { parsePartitionPath } from "../partition-path.ts";
import { NO_QUERY } from "../query.ts";
import { splitTarget } from "../target.ts";
import { partitionMembers } from "./list-partitions.ts";

const rangeMembers = {
  commands: z.int(),
  ordinals: z.strictObject({ from: z.int(), to: z.int() }),
  revisions: z.strictObject({ after: revisionSchema, upTo: revisionSchema }),
};

const wholePartitionSchema = z
  .strictObject({
    ...partitionMembers,
    loss: z
      .strictObject({
        ...rangeMembers,
        storeEmpty: z.boolean(),
        advice: z.string().optional(),
        confirm: z.string().describe("What accepts exactly this loss."),
      })
      .optional()
      .describe(
        "In the state lost-base: commands that neither log nor store has. In the state stopped: those that the log has and the store is not to apply.",
      ),
    losses: z.array(z.strictObject(rangeMembers)).describe("What was accepted before, the newest first."),
  })
  .meta({ id: "WholePartition" });

export const getPartitionRoute = describeRoute({
  operationId: "getPartition",
  tag: "partitions",
  method: "GET",
  path: "/v1/partitions/{n}",
  summary: "One partition, and what it has lost",
  parameters: partitionParameters,
  query: NO_QUERY,
  answers: { 200: jsonDocument("The partition.", wholePartitionSchema) },
  problems: ["not-found", "log-unavailable", "store-unavailable"],
});

export function getPartition(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { path, query } = splitTarget(incoming.target);
    getPartitionRoute.query.read(query);
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
