/**
 * How long a PUT takes until it is applied, at 1,000/s, one api and one consumer. Set beside it: bare node:http with
 * XADD, which only accepts, as a measure of the machine and of the load generator.
 */
import { fileURLToPath } from "node:url";
import { interleave } from "./interleave.ts";
import type { LatencyReport } from "./load/open-loop.ts";
import { runLoad } from "./load-process.ts";
import { startConsumer, startMillrace } from "./millrace.ts";
import { startServer } from "./node-process.ts";
import { startRedis } from "./redis.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

const ROUNDS = 3;
const PER_SECOND = 1_000;
const ROUND_SECONDS = 5;
/** A round that is not over by then is stuck. */
const ROUND_WITHIN_MS = (ROUND_SECONDS + 10) * 1_000;
const LOAD_GENERATOR = fileURLToPath(new URL("load/open-loop.js", import.meta.url));

export async function benchLatency(stage: Stage): Promise<Row[]> {
  const bareUrl = await startServer(stage, "baseline/xadd-server.js", await startRedis(stage, "log"));
  const millrace = await startMillrace(stage);
  await startConsumer(stage, millrace);

  const taken = await interleave(
    ROUNDS,
    () => putOpenLoop(stage, millrace.keysUrl, "200,201,204", ["Prefer: wait=2"]),
    () => putOpenLoop(stage, `${bareUrl}/v1/kv/bench/k`, "202", []),
  );
  const row = (name: "p50" | "p99", atMostMs: number): Row => ({
    name: `latency ${name}`,
    what: `PUT until applied at ${PER_SECOND}/s, ${name}`,
    unit: "ms",
    ours: { name: "api + consumer", rounds: taken.ours.map((report) => report[`${name}Ms`]) },
    baseline: { name: "node:http + XADD, accepted only", rounds: taken.baseline.map((report) => report[`${name}Ms`]) },
    targets: [{ of: "ours", bound: "at most", value: atMostMs }],
    notes: { sentLateP99Ms: Math.max(...taken.ours.map((report) => report.sentLateP99Ms)) },
  });
  return [row("p50", 2), row("p99", 10)];
}

async function putOpenLoop(
  stage: Stage,
  url: string,
  statuses: string,
  headers: readonly string[],
): Promise<LatencyReport> {
  const args = [LOAD_GENERATOR, url, String(PER_SECOND), String(ROUND_SECONDS), statuses, ...headers];
  const report: LatencyReport = JSON.parse(await runLoad(stage, process.execPath, args, ROUND_WITHIN_MS));
  return report;
}
