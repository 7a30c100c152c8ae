/** `GET /v1/partitions`: watermark, backlog, owner and state of each partition. */
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { onlyParameters, splitTarget } from "../target.ts";

export function listPartitions(deps: AppDependencies): Handler {
  return async (incoming) => {
    onlyParameters(splitTarget(incoming.target).query, []);
    return jsonAnswer(await deps.monitor.report());
  };
}
