/**
 * What tracing costs: accepted PUT/s of an api that samples as in production, and sends its spans, against one without
 * OpenTelemetry. No consumer runs.
 */
import { request } from "./http-request.ts";
import { interleave } from "./interleave.ts";
import { NO_TELEMETRY, startMillrace } from "./millrace.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";
import { putRate } from "./wrk.ts";

const ROUNDS = 5;
const ROUND_SECONDS = 3;
/** More than a round can write, so that every PUT of the bench has a key of its own. */
const KEYS_PER_ROUND = 200_000;

export async function benchTracing(stage: Stage): Promise<Row[]> {
  const traced = await startMillrace(stage);
  const bare = await startMillrace(stage, NO_TELEMETRY);
  for (const { keysUrl } of [traced, bare]) await request(`${keysUrl}0`, 202, { method: "PUT", body: "v" });
  const put = (url: string, round: number) =>
    putRate(stage, url, ROUND_SECONDS, round * KEYS_PER_ROUND, KEYS_PER_ROUND);
  const taken = await interleave(
    ROUNDS,
    (round) => put(traced.keysUrl, round),
    (round) => put(bare.keysUrl, round),
  );
  return [
    {
      name: "tracing",
      what: "accepted PUT/s, tracing at its default of 5 %",
      unit: "1/s",
      ours: { name: "traced", rounds: taken.ours },
      baseline: { name: "not traced", rounds: taken.baseline },
      targets: [{ of: "ratio", bound: "at least", value: 0.9 }],
    },
  ];
}
