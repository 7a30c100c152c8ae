/** `GET /v1/partitions`: watermark, backlog, owner and state of each partition. */
import type { AppDependencies, Handler } from "../dependencies.ts";

export function listPartitions(deps: AppDependencies): Handler {
  return async () => {
    const report = await deps.monitor.report();
    return new Response(`${JSON.stringify(report)}\n`, {
      headers: { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" },
    });
  };
}
