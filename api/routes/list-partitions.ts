/** `GET /v1/partitions`: watermark, backlog, owner and state of each partition. */

import { z } from "zod";
import { PARTITION_STATES } from "../../core/partition-state.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { revisionSchema } from "../openapi/parameters.ts";
import { NO_QUERY } from "../query.ts";
import { splitTarget } from "../target.ts";

export const partitionMembers = {
  partition: z.int().min(0),
  watermark: revisionSchema.describe("Revision of the last command applied."),
  ordinal: z.int().min(0).describe("Commands applied, as the log counts them."),
  accepted: z.int().min(0).describe("Commands accepted."),
  backlog: z.int().min(0).describe("Commands accepted and not yet applied."),
  floor: z.string().describe("Commands up to here may have been trimmed from the log."),
  owner: z.string().nullable().describe("The consumer that works it now."),
  state: z.enum(PARTITION_STATES),
  reason: z.string().describe("Why, in a few words; empty when ok."),
  reconciled: z
    .strictObject({ at: revisionSchema, lost: z.int().min(0), reappended: z.int().min(0) })
    .optional()
    .describe(
      "The last time the log had gone back: where the store was, how many commands the log lacked and got again.",
    ),
};

const partitionSchema = z.strictObject(partitionMembers).meta({ id: "Partition" });

export const listPartitionsRoute = describeRoute({
  operationId: "listPartitions",
  tag: "partitions",
  method: "GET",
  path: "/v1/partitions",
  summary: "Watermark, backlog, owner and state of each partition",
  parameters: {},
  query: NO_QUERY,
  answers: { 200: jsonDocument("All partitions, in order.", z.array(partitionSchema)) },
  problems: ["log-unavailable", "store-unavailable"],
});

export function listPartitions(deps: AppDependencies): Handler {
  return async (incoming) => {
    listPartitionsRoute.query.read(splitTarget(incoming.target).query);
    return jsonAnswer(await deps.monitor.report());
  };
}
