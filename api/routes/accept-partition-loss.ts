/** `POST /v1/partitions/{n}/accept-loss?confirm=<string>`: an operator lets a partition go on without what is lost. */

import { z } from "zod";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { partitionParameters } from "../openapi/parameters.ts";
import { parsePartitionPath } from "../partition-path.ts";
import { Query } from "../query.ts";
import { splitTarget } from "../target.ts";

const error = "is what loss.confirm of GET /v1/partitions/{n} says.";

export const acceptPartitionLossRoute = describeRoute({
  operationId: "acceptPartitionLoss",
  tag: "partitions",
  method: "POST",
  path: "/v1/partitions/{n}/accept-loss",
  summary: "Let a partition go on without what it has lost, or has not applied",
  parameters: partitionParameters,
  query: new Query({
    confirm: z
      .string({ error })
      .min(1, error)
      .describe("What `loss.confirm` of `GET /v1/partitions/{n}` says: exactly that loss."),
  }),
  answers: {
    200: jsonDocument(
      "The partition goes on.",
      z.strictObject({ partition: z.int().min(0), accepted: z.string() }).meta({ id: "AcceptedLoss" }),
    ),
  },
  problems: ["not-found", "nothing-lost", "loss-changed", "log-unavailable", "store-unavailable"],
});

export function acceptPartitionLoss(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { path, query } = splitTarget(incoming.target);
    const partition = parsePartitionPath(path, deps.partitions);
    const { confirm } = acceptPartitionLossRoute.query.read(query);
    switch (await deps.losses.accept(partition, confirm)) {
      case "accepted":
        return jsonAnswer({ partition, accepted: confirm });
      case "not-lost":
        throw new ProblemError("nothing-lost", "It is neither in the state lost-base nor stopped before something.");
      case "changed":
        throw new ProblemError("loss-changed", `Look at GET /v1/partitions/${partition} again.`);
    }
  };
}
