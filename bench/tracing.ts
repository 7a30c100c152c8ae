/**
 * What tracing costs of accepted PUT/s: an api that samples as in production and sends its spans to somebody who takes
 * them, against one without OpenTelemetry.
 */
import { benchCost } from "./cost.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

export async function benchTracing(stage: Stage): Promise<Row[]> {
  return benchCost(stage, {
    name: "tracing",
    what: "accepted PUT/s, tracing at its default of 5 %",
    on: {},
    off: { OTEL_SDK_DISABLED: "true" },
    ratioMin: 0.9,
    check: async (on, off) => {
      const [having, lacking] = await Promise.all([isTraced(on.apiUrl), isTraced(off.apiUrl)]);
      if (!having || lacking) throw new Error("tracing is not on where it should be, or not off");
    },
  });
}

/** Does it tell the trace of a request? */
async function isTraced(apiUrl: string): Promise<boolean> {
  const { headers } = await fetch(`${apiUrl}/openapi.json`);
  return headers.has("traceresponse");
}
